/**
 * Solves a symmetric positive definite system with several right-hand sides, by elimination.
 * @param system [size, size + sides], what stands left and right of the equals sign; it is used up
 * @param band no number of the left side stands further than this from the diagonal
 * @returns [size, sides]
 */
export function solve(system: Float64Array, size: number, band = size): Float64Array {
  const width = system.length / size;
  const sides = width - size;
  for (let pivot = 0; pivot < size; pivot++) {
    const end = Math.min(pivot + band + 1, size);
    const top = pivot * width;
    for (let row = pivot + 1; row < end; row++) {
      // What stands below the diagonal mirrors what stands above it, and is left alone.
      const factor = system[top + row]! / system[top + pivot]!;
      if (factor === 0) continue;
      for (let column = row; column < end; column++) system[row * width + column]! -= factor * system[top + column]!;
      for (let column = size; column < width; column++) system[row * width + column]! -= factor * system[top + column]!;
    }
  }
  const solution = new Float64Array(size * sides);
  for (let row = size - 1; row >= 0; row--) {
    const end = Math.min(row + band + 1, size);
    for (let side = 0; side < sides; side++) {
      let value = system[row * width + size + side]!;
      for (let column = row + 1; column < end; column++)
        value -= system[row * width + column]! * solution[column * sides + side]!;
      solution[row * sides + side] = value / system[row * width + row]!;
    }
  }
  return solution;
}

/** Adds `weight` times the square of a sum of unknowns, `factors` at `places`, to a system. */
export function addSquare(
  system: Float64Array,
  size: number,
  { places, factors, weight }: { places: readonly number[]; factors: readonly number[]; weight: number },
): void {
  const width = system.length / size;
  for (const [i, row] of places.entries())
    for (const [j, column] of places.entries()) system[row * width + column]! += weight * factors[i]! * factors[j]!;
}
