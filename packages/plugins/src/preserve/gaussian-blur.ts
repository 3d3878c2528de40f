import type { Plane } from './box-blur.js';

/** Gaussian blur of a plane, cut at three standard deviations, edges replicated. */
export function* gaussianBlur({ width, height, values }: Plane, deviation: number): Generator<void, Plane> {
  const radius = Math.max(1, Math.round(3 * deviation));
  const weights = Float64Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-0.5 * ((i - radius) / deviation) ** 2),
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const across = new Float64Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let sum = 0;
      for (let i = -radius; i <= radius; i++)
        sum += weights[i + radius]! * values[y * width + Math.min(Math.max(x + i, 0), width - 1)]!;
      across[y * width + x] = sum / total;
    }
    yield;
  }
  const blurred = new Float64Array(values.length);
  for (let y = 0; y < height; y++) {
    for (let i = -radius; i <= radius; i++) {
      const row = Math.min(Math.max(y + i, 0), height - 1) * width;
      const weight = weights[i + radius]! / total;
      for (let x = 0; x < width; x++) blurred[y * width + x]! += weight * across[row + x]!;
    }
    yield;
  }
  return { width, height, values: blurred };
}
