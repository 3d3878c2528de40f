/** A value, led to 0..1. */
export function clamped(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}

/** 0 up to the first limit, 1 from the second one on, linear in between; the second may be the smaller one. */
export function ramp(value: number, [none, all]: readonly [number, number]): number {
  return clamped((value - none) / (all - none));
}
