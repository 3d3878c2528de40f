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
  const padded = new Float64Array(width + 2 * radius);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    for (let x = 0; x < radius; x++) {
      padded[x] = plane[row] as number;
      padded[width + radius + x] = plane[row + width - 1] as number;
    }
    padded.set(plane.subarray(row, row + width), radius);
    for (let x = 0; x < width; x++) {
      let sum = (weights[0] as number) * (padded[x + radius] as number);
      for (let index = 1; index <= radius; index++) {
        const pair = (padded[x + radius - index] as number) + (padded[x + radius + index] as number);
        sum += (weights[index] as number) * pair;
      }
      across[row + x] = sum;
    }
  }
  // Row by row, as the values lie in memory.
  const down = new Float32Array(plane.length);
  const sums = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    const middle = y * width;
    for (let x = 0; x < width; x++) sums[x] = (weights[0] as number) * (across[middle + x] as number);
    for (let index = 1; index <= radius; index++) {
      const weight = weights[index] as number;
      const above = Math.max(0, y - index) * width;
      const below = Math.min(height - 1, y + index) * width;
      for (let x = 0; x < width; x++) {
        sums[x] = (sums[x] as number) + weight * ((across[above + x] as number) + (across[below + x] as number));
      }
    }
    down.set(sums, middle);
  }
  return down;
}

/** Blurred pictures by radius: several operations, at all strengths, start from the same ones. */
const known = new WeakMap<Picture, Map<number, Picture>>();

/**
 * Blurs a picture.
 * @param radius standard deviation as a share of the square root of the picture's area
 */
export function gaussianBlur(picture: Picture, radius: number): Picture {
  const { width, height, values } = picture;
  const own = known.get(picture) ?? new Map<number, Picture>();
  known.set(picture, own);
  const found = own.get(radius);
  if (found !== undefined) return found;
  const weights = gaussianWeights(radius * Math.sqrt(width * height));
  const count = width * height;
  const result = { width, height, values: new Float32Array(values.length) };
  for (let channel = 0; channel < 3; channel++) {
    const plane = values.subarray(channel * count, (channel + 1) * count);
    result.values.set(blurPlane(plane, width, height, weights), channel * count);
  }
  own.set(radius, result);
  return result;
}
