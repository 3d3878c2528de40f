/** Factors of three neighbouring knots in the second difference, which is how far a curve bends at the middle one. */
export const BEND: readonly number[] = [1, -2, 1];

/** The bend of a curve between knots `start`, `start + step` and `start + 2 step`. */
export function bendOf(values: ArrayLike<number>, start: number, step = 1): number {
  return values[start]! - 2 * values[start + step]! + values[start + 2 * step]!;
}

/**
 * Weight of a bend's square such that, weighed anew from fit to fit, bends count by their size instead: a curve then bends in few places,
 * as sharply as need be, and runs straight between them ("l1 Trend Filtering", Kim et al. 2009, by reweighted least squares).
 */
export function bendWeight(bend: number, { stiffness, large }: { stiffness: number; large: number }): number {
  return (stiffness * large) / (Math.abs(bend) + large);
}
