import type { Picture } from './picture.ts';

/** Beyond so many standard deviations the kernel is cut. */
const REACH = 3;

/** Weights of one side and the middle of a normalised Gaussian, middle first. */
export function gaussianWeights(deviation: number): Float64Array {
  const radius = Math.max(1, Math.ceil(REACH * deviation));
  const weights = Float64Array.from({ length: radius + 1 }, (_, index) => Math.exp(-0.5 * (index / deviation) ** 2));
  const sum = weights.reduce((total, weight) => total + weight) * 2 - (weights[0] as number);
  return weights.map((weight) => weight / sum);
}

/** Blurs a plane, its edges replicated. */
export function blurPlane(plane: Float32Array, width: number, height: number, weights: Float64Array): Float32Array {
  const across = new Float32Array(plane.length);
  const radius = weights.length - 1;
  const padded = new Float64Array(Math.max(width, height) + 2 * radius);
  for (let y = 0; y < height; y++) {
    for (let x = -radius; x < width + radius; x++) {
      padded[x + radius] = plane[y * width + Math.min(width - 1, Math.max(0, x))] as number;
    }
    for (let x = 0; x < width; x++) across[y * width + x] = weighted(padded, x + radius, weights);
  }
  const down = new Float32Array(plane.length);
  for (let x = 0; x < width; x++) {
    for (let y = -radius; y < height + radius; y++) {
      padded[y + radius] = across[Math.min(height - 1, Math.max(0, y)) * width + x] as number;
    }
    for (let y = 0; y < height; y++) down[y * width + x] = weighted(padded, y + radius, weights);
  }
  return down;
}

function weighted(line: Float64Array, middle: number, weights: Float64Array): number {
  let sum = (weights[0] as number) * (line[middle] as number);
  for (let index = 1; index < weights.length; index++) {
    sum += (weights[index] as number) * ((line[middle - index] as number) + (line[middle + index] as number));
  }
  return sum;
}

/**
 * Blurs a picture.
 * @param radius standard deviation as a share of the square root of the picture's area
 */
export function gaussianBlur({ width, height, values }: Picture, radius: number): Picture {
  const weights = gaussianWeights(radius * Math.sqrt(width * height));
  const count = width * height;
  const blurred = new Float32Array(values.length);
  for (let channel = 0; channel < 3; channel++) {
    const plane = values.subarray(channel * count, (channel + 1) * count);
    blurred.set(blurPlane(plane, width, height, weights), channel * count);
  }
  return { width, height, values: blurred };
}
