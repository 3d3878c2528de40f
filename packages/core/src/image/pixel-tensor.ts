import { type HostTensor, hostTensor } from '../backend/tensor.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { roundHalfToEven } from './geometry.js';
import type { Raster8 } from './raster.js';
import { runInSlices } from './time-slice.js';

const { fround } = Math;

/** Pixels converted between two looks at the clock. */
const CHUNK = 65_536;

/** -1..1 for every level, rounded as diffusers' `VaeImageProcessor.preprocess` rounds: x / 255 * 2 - 1 in float32. */
const LEVELS = Float32Array.from({ length: 256 }, (_, level) => fround(2 * fround(level / 255)) - 1);

/**
 * The picture as the autoencoder takes it. Alpha is left out. Gives way to the event loop about every 12 ms.
 *
 * @returns [1, 3, height, width] in -1..1
 * @throws {AbortedError} the signal was aborted
 */
export async function rasterToTensor(options: {
  raster: Raster8;
  signal?: AbortSignal | undefined;
}): Promise<HostTensor<'float32'>> {
  return runInSlices(toPlanes(options.raster), options);
}

function* toPlanes(raster: Raster8): Generator<void, HostTensor<'float32'>> {
  const { width, height, channels, data } = raster;
  const area = width * height;
  const values = new Float32Array(area * 3);
  for (let start = 0; start < area; start += CHUNK) {
    const end = Math.min(start + CHUNK, area);
    for (let i = start; i < end; i++) {
      values[i] = LEVELS[data[i * channels]!]!;
      values[area + i] = LEVELS[data[i * channels + 1]!]!;
      values[2 * area + i] = LEVELS[data[i * channels + 2]!]!;
    }
    yield;
  }
  return hostTensor('float32', [1, 3, height, width], values);
}

/**
 * One picture of a decoded tensor as pixels: x / 2 + 0.5, clamped, times 255, halves rounded to even, all in float32 as diffusers'
 * `VaeImageProcessor.postprocess` does. What is not a number becomes 0. Gives way to the event loop about every 12 ms.
 *
 * @param options.image [batch, 3, height, width], nominally in -1..1
 * @param options.index which of the batch; default 0
 * @throws {InvalidArgumentError} the tensor has another shape, or no such picture
 * @throws {AbortedError} the signal was aborted
 */
export async function tensorToRaster(options: {
  image: HostTensor<'float32'>;
  index?: number;
  signal?: AbortSignal | undefined;
}): Promise<Raster8> {
  return runInSlices(toPixels(options.image, options.index ?? 0), options);
}

function* toPixels(image: HostTensor<'float32'>, index: number): Generator<void, Raster8> {
  const [batch = 0, channels, height, width] = image.shape;
  if (channels !== 3 || height === undefined || width === undefined || image.shape.length !== 4) {
    const received = `[${image.shape.join(', ')}]`;
    throw new InvalidArgumentError({ argument: 'image', expected: 'a tensor [batch, 3, height, width]', received });
  }
  if (!Number.isInteger(index) || index < 0 || index >= batch) {
    const expected = `a picture from 0 to ${batch - 1}`;
    throw new InvalidArgumentError({ argument: 'index', expected, received: String(index) });
  }
  const area = width * height;
  const planes = image.values.subarray(index * 3 * area, (index + 1) * 3 * area);
  const data = new Uint8Array(area * 3);
  for (let channel = 0; channel < 3; channel++) {
    for (let start = 0; start < area; start += CHUNK) {
      const plane = planes.subarray(channel * area + start, channel * area + Math.min(start + CHUNK, area));
      for (let i = 0; i < plane.length; i++) data[(start + i) * 3 + channel] = toLevel(plane[i]!);
      yield;
    }
  }
  return { width, height, channels: 3, data };
}

function toLevel(value: number): number {
  const unit = fround(fround(value * 0.5) + 0.5);
  if (!(unit > 0)) return 0;
  return unit >= 1 ? 255 : roundHalfToEven(fround(unit * 255));
}
