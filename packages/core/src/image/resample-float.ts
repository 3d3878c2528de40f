import { type HostTensor, hostTensor } from '../backend/tensor.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { Size } from '../plugin/plugin.js';
import { coverAndCrop } from './geometry.js';
import { runInSlices } from './time-slice.js';

const { fround } = Math;

/** For every output pixel of a line: the two neighbours in the input and their weights. */
interface Neighbours {
  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly firstWeight: Float32Array;
  readonly secondWeight: Float32Array;
}

/**
 * Resizes a picture tensor as torch's `interpolate(mode='bilinear', align_corners=False)` does on a CPU with AVX2,
 * bit by bit: no antialiasing, float32. Gives way to the event loop about every 12 ms.
 *
 * @param options.image [batch, channels, height, width], any number of channels
 * @returns [batch, channels, options.height, options.width]
 * @throws {InvalidArgumentError} the tensor has not four dimensions, or a size is no whole number above 0
 * @throws {AbortedError} the signal was aborted
 */
export async function resizeBilinear(
  options: Size & { image: HostTensor<'float32'>; signal?: AbortSignal | undefined },
): Promise<HostTensor<'float32'>> {
  const { image, width, height, signal } = options;
  const window = { width, height, left: 0, top: 0 };
  return runInSlices(interpolate(image, { width, height }, window), { signal });
}

/**
 * Brings a decoded picture tensor to a size: enlarged or shrunk with its ratio kept until it covers the size (bilinear, as
 * `resizeBilinear`), then cropped in the middle. The authors' pipeline does so after decoding (diffusers' `resize_and_crop_tensor`).
 * Where rounding leaves the reference a pixel short, this takes that pixel more.
 *
 * @param options.image [batch, channels, height, width]
 * @throws {InvalidArgumentError} the tensor has not four dimensions, or a size is no whole number above 0
 * @throws {AbortedError} the signal was aborted
 */
export async function resizeAndCrop(
  options: Size & { image: HostTensor<'float32'>; signal?: AbortSignal | undefined },
): Promise<HostTensor<'float32'>> {
  const { image, width, height, signal } = options;
  const [, , sourceHeight = 0, sourceWidth = 0] = image.shape;
  if (sourceHeight === height && sourceWidth === width) return image;
  const { resized, left, top } = coverAndCrop({
    source: { width: sourceWidth, height: sourceHeight },
    target: { width, height },
  });
  const covering = { width: Math.max(resized.width, width), height: Math.max(resized.height, height) };
  const window = { width, height, left: Math.max(left, 0), top: Math.max(top, 0) };
  return runInSlices(interpolate(image, covering, window), { signal });
}

interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

/** Computes a window of the image resized to `resized`. */
function* interpolate(
  image: HostTensor<'float32'>,
  resized: Size,
  window: Window,
): Generator<void, HostTensor<'float32'>> {
  const [batch, channels, height, width] = image.shape;
  if (batch === undefined || channels === undefined || height === undefined || width === undefined) {
    throw new InvalidArgumentError({
      argument: 'image',
      expected: 'a tensor [batch, channels, height, width]',
      received: `[${image.shape.join(', ')}]`,
    });
  }
  checkSize('width', window.width);
  checkSize('height', window.height);
  const across = neighbours(width, resized.width, window.left, window.width);
  const down = neighbours(height, resized.height, window.top, window.height);
  const output = new Float32Array(batch * channels * window.height * window.width);
  let offset = 0;
  for (let plane = 0; plane < batch * channels; plane++) {
    const pixels = image.values.subarray(plane * height * width, (plane + 1) * height * width);
    for (let y = 0; y < window.height; y++) {
      const upper = pixels.subarray(down.first[y]! * width, (down.first[y]! + 1) * width);
      const lower = pixels.subarray(down.second[y]! * width, (down.second[y]! + 1) * width);
      const target = output.subarray(offset, offset + window.width);
      blendRows(target, [upper, lower], [down.firstWeight[y]!, down.secondWeight[y]!], across);
      offset += window.width;
      yield;
    }
  }
  return hostTensor('float32', [batch, channels, window.height, window.width], output);
}

function checkSize(argument: string, size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new InvalidArgumentError({ argument, expected: 'a whole number of pixels above 0', received: String(size) });
}

/** Pixel centres lie at half a pixel: output pixel i sits at (i + 0.5) * scale - 0.5, not before the first pixel. */
function neighbours(inputSize: number, outputSize: number, start: number, count: number): Neighbours {
  const scale = fround(inputSize / outputSize);
  const first = new Int32Array(count);
  const second = new Int32Array(count);
  const firstWeight = new Float32Array(count);
  const secondWeight = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const position = Math.max(0, fround(scale * (start + i + 0.5) - 0.5));
    const left = Math.min(Math.trunc(position), inputSize - 1);
    first[i] = left;
    second[i] = Math.min(left + 1, inputSize - 1);
    secondWeight[i] = Math.min(1, fround(position - left));
    firstWeight[i] = 1 - secondWeight[i]!;
  }
  return { first, second, firstWeight, secondWeight };
}

/** Sum of four products, rounded where torch's fused multiply-adds round it; products of two float32 are exact in a double. */
function blendRows(
  target: Float32Array,
  rows: readonly [Float32Array, Float32Array],
  weights: readonly [number, number],
  across: Neighbours,
): void {
  const [upper, lower] = rows;
  const [upperWeight, lowerWeight] = weights;
  const { first, second, firstWeight, secondWeight } = across;
  for (let x = 0; x < target.length; x++) {
    const left = first[x]!;
    const right = second[x]!;
    const a = firstWeight[x]!;
    const b = secondWeight[x]!;
    const above = fround(upper[left]! * fround(upperWeight * a) + fround(upper[right]! * fround(upperWeight * b)));
    const three = fround(lower[left]! * fround(lowerWeight * a) + above);
    target[x] = lower[right]! * fround(lowerWeight * b) + three;
  }
}
