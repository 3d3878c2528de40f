/** One value a pixel, row-major. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly values: Float64Array;
}

/**
 * Sums a plane three times over a square of `2 * radius + 1` pixels a side, edges replicated: close to a Gaussian of deviation
 * sqrt(radius (radius + 1)), but with an end, `3 * radius` pixels away. The values are sums, `boxGain(radius)` times too large, so that
 * whole numbers stay whole and zeros stay zero.
 */
export function* boxBlur(plane: Plane, radius: number): Generator<void, Plane> {
  const { width, height } = plane;
  let values = plane.values;
  for (let pass = 0; pass < 3; pass++) {
    const across = new Float64Array(values.length);
    for (let y = 0; y < height; y++) {
      sumLine(values, across, { start: y * width, step: 1, count: width }, radius);
      if (y % ROWS_A_SLICE === 0) yield;
    }
    values = new Float64Array(values.length);
    for (let x = 0; x < width; x++) {
      sumLine(across, values, { start: x, step: width, count: height }, radius);
      if (x % ROWS_A_SLICE === 0) yield;
    }
  }
  return { width, height, values };
}

/** What `boxBlur` makes of 1. */
export function boxGain(radius: number): number {
  return (2 * radius + 1) ** 6;
}

/** Largest value within `radius` pixels, along rows and columns. */
export function* dilate(plane: Plane, radius: number): Generator<void, Plane> {
  const { width, height, values } = plane;
  const across = new Float64Array(values.length);
  for (let y = 0; y < height; y++) {
    largestOfLine(values, across, { start: y * width, step: 1, count: width }, radius);
    if (y % ROWS_A_SLICE === 0) yield;
  }
  const dilated = new Float64Array(values.length);
  for (let x = 0; x < width; x++) {
    largestOfLine(across, dilated, { start: x, step: width, count: height }, radius);
    if (x % ROWS_A_SLICE === 0) yield;
  }
  return { width, height, values: dilated };
}

const ROWS_A_SLICE = 16;

interface Line {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

function sumLine(from: Float64Array, to: Float64Array, { start, step, count }: Line, radius: number): void {
  const at = (index: number): number => from[start + Math.min(Math.max(index, 0), count - 1) * step]!;
  let sum = 0;
  for (let index = -radius; index <= radius; index++) sum += at(index);
  for (let index = 0; index < count; index++) {
    to[start + index * step] = sum;
    sum += at(index + radius + 1) - at(index - radius);
  }
}

/** A value that is the largest so far stays so for `radius` pixels; only when it leaves is the window searched again. */
function largestOfLine(from: Float64Array, to: Float64Array, { start, step, count }: Line, radius: number): void {
  let best = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < count; index++) {
    const last = Math.min(index + radius, count - 1);
    if (best < index - radius) {
      best = Math.max(index - radius, 0);
      for (let other = best + 1; other <= last; other++)
        if (from[start + other * step]! >= from[start + best * step]!) best = other;
    } else if (from[start + last * step]! >= from[start + best * step]!) best = last;
    to[start + index * step] = from[start + best * step]!;
  }
}
