import { type HostTensor, hostTensor } from '../backend/tensor.js';
import type { Raster8 } from '../image/raster.js';
import { torchCpuNoise } from '../random/torch-cpu-noise.js';

/** The latents that the projection is fitted on: 3 x 3 tiles of 4 x 4. Their ridge. */
const TILES = 3;
const TILE = 4;
const RIDGE = 1e-2;
const PROBE_SEED = 1;

/** Linear map from a latent pixel to RGB: one row of `channels + 1` weights (the last is the offset) a colour. */
export interface LatentProjection {
  readonly channels: number;
  readonly weights: readonly [Float64Array, Float64Array, Float64Array];
}

/**
 * Latents to fit a projection on, small enough for one quick decode: a checkerboard of tiles cut out of the source's latents, all over the
 * picture, and of flat random colours, which stand for what edits make that is not in the source.
 *
 * @param latents Scaled latents of the source [1, channels, height, width]; without a source every tile is random.
 * @param channels Latent channels.
 */
export function probeLatents(latents: HostTensor<'float32'> | undefined, channels: number): HostTensor<'float32'> {
  const side = TILES * TILE;
  const [, , height = 0, width = 0] = latents?.shape ?? [];
  const random = torchCpuNoise.create(PROBE_SEED).normal({ shape: [channels, TILES, TILES] }).values;
  const values = new Float32Array(channels * side * side);
  const start = (size: number, tile: number): number => Math.round((Math.max(0, size - TILE) * tile) / (TILES - 1));
  for (let at = 0; at < values.length; at++) {
    const x = at % side;
    const y = Math.floor(at / side) % side;
    const channel = Math.floor(at / (side * side));
    const column = Math.floor(x / TILE);
    const row = Math.floor(y / TILE);
    if (latents === undefined || (row + column) % 2 === 1) {
      values[at] = random[(channel * TILES + row) * TILES + column] as number;
      continue;
    }
    const sourceY = Math.min(start(height, row) + (y % TILE), height - 1);
    const sourceX = Math.min(start(width, column) + (x % TILE), width - 1);
    values[at] = latents.values[(channel * height + sourceY) * width + sourceX] as number;
  }
  return hostTensor('float32', [1, channels, side, side], values);
}

/**
 * Fits the projection by ridge regression of the decoder's pixels, averaged over the square that each latent pixel stands for.
 * @param latents [1, channels, height, width]
 * @param image What the decoder makes of them, [1, 3, height * f, width * f] in -1..1.
 */
export function fitLatentProjection(latents: HostTensor<'float32'>, image: HostTensor<'float32'>): LatentProjection {
  const [, channels, height, width] = latents.shape as readonly [number, number, number, number];
  const pixels = height * width;
  const size = channels + 1;
  const normal = Array.from({ length: size }, () => new Float64Array(size));
  const right = [new Float64Array(size), new Float64Array(size), new Float64Array(size)] as const;
  const targets = [0, 1, 2].map((colour) => poolColour(image, colour, height, width));
  const row = new Float64Array(size).fill(1);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < channels; channel++)
      row[channel] = latents.values[channel * pixels + pixel] as number;
    for (let i = 0; i < size; i++) {
      const line = normal[i] as Float64Array;
      for (let j = 0; j < size; j++) line[j] = (line[j] as number) + (row[i] as number) * (row[j] as number);
      for (const [colour, sums] of right.entries()) {
        sums[i] = (sums[i] as number) + (row[i] as number) * ((targets[colour] as Float64Array)[pixel] as number);
      }
    }
  }
  for (let i = 0; i < channels; i++)
    (normal[i] as Float64Array)[i] = ((normal[i] as Float64Array)[i] as number) + RIDGE * pixels;
  const [red, green, blue] = right.map((sums) => solve(normal, sums)) as [Float64Array, Float64Array, Float64Array];
  return { channels, weights: [red, green, blue] };
}

/** The rough picture of one picture's latents, one pixel a latent pixel. */
export function previewLatents(projection: LatentProjection, latents: HostTensor<'float32'>, picture = 0): Raster8 {
  const [, channels, height, width] = latents.shape as readonly [number, number, number, number];
  const pixels = height * width;
  const data = new Uint8Array(pixels * 3);
  const start = picture * channels * pixels;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (const [colour, weights] of projection.weights.entries()) {
      let value = weights[channels] as number;
      for (let channel = 0; channel < channels; channel++) {
        value += (weights[channel] as number) * (latents.values[start + channel * pixels + pixel] as number);
      }
      data[pixel * 3 + colour] = Math.round(Math.min(Math.max(value * 127.5 + 127.5, 0), 255));
    }
  }
  return { width, height, channels: 3, data };
}

function poolColour(image: HostTensor<'float32'>, colour: number, height: number, width: number): Float64Array {
  const [, , imageHeight, imageWidth] = image.shape as readonly [number, number, number, number];
  const side = Math.floor(imageWidth / width);
  const pooled = new Float64Array(height * width);
  for (let y = 0; y < height * side; y++) {
    for (let x = 0; x < width * side; x++) {
      const value = image.values[(colour * imageHeight + y) * imageWidth + x] as number;
      const at = Math.floor(y / side) * width + Math.floor(x / side);
      pooled[at] = (pooled[at] as number) + value / (side * side);
    }
  }
  return pooled;
}

/** Gaussian elimination with partial pivoting; the ridge keeps the matrix regular. */
function solve(matrix: readonly Float64Array[], right: Float64Array): Float64Array {
  const size = right.length;
  const rows: Float64Array[] = matrix.map((line, index) => Float64Array.of(...line, right[index] as number));
  for (let column = 0; column < size; column++) {
    let pivot = column;
    for (let row = column + 1; row < size; row++) {
      if (Math.abs(rows[row]?.[column] as number) > Math.abs(rows[pivot]?.[column] as number)) pivot = row;
    }
    [rows[column], rows[pivot]] = [rows[pivot] as Float64Array, rows[column] as Float64Array];
    const top = rows[column] as Float64Array;
    for (let row = column + 1; row < size; row++) {
      const line = rows[row] as Float64Array;
      const factor = (line[column] as number) / (top[column] as number);
      for (let at = column; at <= size; at++) line[at] = (line[at] as number) - factor * (top[at] as number);
    }
  }
  const solution = new Float64Array(size);
  for (let row = size - 1; row >= 0; row--) {
    const line = rows[row] as Float64Array;
    let value = line[size] as number;
    for (let at = row + 1; at < size; at++) value -= (line[at] as number) * (solution[at] as number);
    solution[row] = value / (line[row] as number);
  }
  return solution;
}
