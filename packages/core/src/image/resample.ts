import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { type Kernel, type ResampleWeights, resampleWeights } from './resample-weights.js';
import { runAtOnce, runInSlices } from './time-slice.js';

/** 8-bit pixels, row-major, channels interleaved. Every `Raster8` is one; a mask has a single channel. */
export interface Pixels<Channels extends number = number> {
  readonly width: number;
  readonly height: number;
  readonly channels: Channels;
  /** `width * height * channels` values. */
  readonly data: Uint8Array;
}

/**
 * Whose numbers to give. `pillow-*`: `Image.resize` of Pillow. `torch-*`: `torchvision`'s `resize` of a uint8 tensor with
 * `antialias=True` on a CPU. The two differ by a level or two in a few of a thousand values.
 */
export type ResampleMethod =
  | 'pillow-lanczos'
  | 'pillow-bicubic'
  | 'pillow-bilinear'
  | 'torch-bicubic'
  | 'torch-bilinear';

export interface ResampleOptions<Channels extends number> {
  image: Pixels<Channels>;
  /** Size wanted, in pixels. */
  width: number;
  height: number;
  method: ResampleMethod;
}

const METHODS: Readonly<Record<ResampleMethod, { kernel: Kernel; fixedPoint: 'pillow' | 'torch' }>> = {
  'pillow-lanczos': { kernel: 'lanczos', fixedPoint: 'pillow' },
  'pillow-bicubic': { kernel: 'bicubic', fixedPoint: 'pillow' },
  'pillow-bilinear': { kernel: 'bilinear', fixedPoint: 'pillow' },
  'torch-bicubic': { kernel: 'bicubic', fixedPoint: 'torch' },
  'torch-bilinear': { kernel: 'bilinear', fixedPoint: 'torch' },
};

/**
 * Resizes 8-bit pixels exactly as Pillow or torch do: fixed-point weights, rows and columns apart, rounded to
 * 8 bits between the two passes.
 * Channels are independent; alpha is not multiplied in. Gives way to the event loop about every 12 ms.
 *
 * @throws {InvalidArgumentError} a size is no whole number above 0
 * @throws {AbortedError} the signal was aborted
 * @example
 * ```ts
 * import { resample, sharpCodec } from '@vibe-edit/core';
 *
 * const { raster } = await sharpCodec.decode('photo.jpg');
 * const small = await resample({ image: raster, width: 512, height: 512, method: 'pillow-lanczos' });
 * ```
 */
export async function resample<Channels extends number>(
  options: ResampleOptions<Channels> & { signal?: AbortSignal | undefined },
): Promise<Pixels<Channels>> {
  return runInSlices(passes(options), options);
}

/** `resample` without a pause, for small pictures and worker threads. */
export function resampleSync<Channels extends number>(options: ResampleOptions<Channels>): Pixels<Channels> {
  return runAtOnce(passes(options));
}

function* passes<Channels extends number>(options: ResampleOptions<Channels>): Generator<void, Pixels<Channels>> {
  const { image, width, height } = options;
  const { channels } = image;
  checkSize('width', width);
  checkSize('height', height);
  const method = METHODS[options.method];
  let current: Pixels<Channels> = image;
  const scaleWidth = function* (): Generator<void, void> {
    if (width === image.width) return;
    const weights = resampleWeights({ inputSize: image.width, outputSize: width, ...method });
    const data = yield* horizontalPass(current, weights);
    current = { ...current, width, data };
  };
  const scaleHeight = function* (): Generator<void, void> {
    if (height === image.height) return;
    const weights = resampleWeights({ inputSize: image.height, outputSize: height, ...method });
    const data = yield* verticalPass(current, weights);
    current = { ...current, height, data };
  };
  const order = columnsFirst(options) ? [scaleHeight, scaleWidth] : [scaleWidth, scaleHeight];
  for (const pass of order) yield* pass();
  return { width, height, channels, data: current === image ? image.data.slice() : current.data };
}

/**
 * Whether columns are scaled before rows. Torch always begins with rows; Pillow (from 13.0 on) begins with columns where that takes
 * clearly more lines away. It matters: pixels are rounded and clamped between the passes.
 */
function columnsFirst({ image, width, height, method }: ResampleOptions<number>): boolean {
  const shorter = image.height - height;
  return METHODS[method].fixedPoint === 'pillow' && shorter > 0 && shorter > 2 * (image.width - width);
}

function checkSize(argument: string, size: number): void {
  if (Number.isSafeInteger(size) && size > 0) return;
  throw new InvalidArgumentError({ argument, expected: 'a whole number of pixels above 0', received: String(size) });
}

function* horizontalPass(image: Pixels, weights: ResampleWeights): Generator<void, Uint8Array> {
  const rowLength = image.width * image.channels;
  const outputLength = weights.starts.length * image.channels;
  const output = new Uint8Array(outputLength * image.height);
  for (let y = 0; y < image.height; y++) {
    const row = image.data.subarray(y * rowLength, (y + 1) * rowLength);
    const target = output.subarray(y * outputLength, (y + 1) * outputLength);
    if (image.channels === 3) scaleRgbRow(row, target, weights);
    else scaleRow(row, target, image.channels, weights);
    yield;
  }
  return output;
}

function scaleRow(row: Uint8Array, target: Uint8Array, channels: number, table: ResampleWeights): void {
  const { starts, counts, weights, stride, precision } = table;
  const half = 1 << (precision - 1);
  for (let x = 0; x < starts.length; x++) {
    const first = x * stride;
    const end = first + counts[x]!;
    for (let channel = 0; channel < channels; channel++) {
      let sum = half;
      let pixel = starts[x]! * channels + channel;
      for (let k = first; k < end; k++) {
        sum = (sum + Math.imul(row[pixel]!, weights[k]!)) | 0;
        pixel += channels;
      }
      target[x * channels + channel] = toByte(sum >> precision);
    }
  }
}

/** `scaleRow` for three channels, twice as fast: a weight is read once and the three sums do not wait for each other. */
function scaleRgbRow(row: Uint8Array, target: Uint8Array, table: ResampleWeights): void {
  const { starts, counts, weights, stride, precision } = table;
  const half = 1 << (precision - 1);
  for (let x = 0; x < starts.length; x++) {
    const first = x * stride;
    const count = counts[x]!;
    let pixel = starts[x]! * 3;
    let red = half;
    let green = half;
    let blue = half;
    for (let k = 0; k < count; k++) {
      const weight = weights[first + k]!;
      red = (red + Math.imul(row[pixel]!, weight)) | 0;
      green = (green + Math.imul(row[pixel + 1]!, weight)) | 0;
      blue = (blue + Math.imul(row[pixel + 2]!, weight)) | 0;
      pixel += 3;
    }
    target[x * 3] = toByte(red >> precision);
    target[x * 3 + 1] = toByte(green >> precision);
    target[x * 3 + 2] = toByte(blue >> precision);
  }
}

function* verticalPass(image: Pixels, table: ResampleWeights): Generator<void, Uint8Array> {
  const { starts, counts, weights, stride, precision } = table;
  const rowLength = image.width * image.channels;
  const rowAt = (y: number) => image.data.subarray(y * rowLength, (y + 1) * rowLength);
  const output = new Uint8Array(rowLength * starts.length);
  const sums = new Int32Array(rowLength);
  for (let y = 0; y < starts.length; y++) {
    sums.fill(1 << (precision - 1));
    const count = counts[y]!;
    for (let k = 0; k < count; k += ROWS_AT_ONCE) {
      // Behind the last row the last one comes again, with weight 0.
      const rows = Array.from({ length: ROWS_AT_ONCE }, (_, i) => rowAt(starts[y]! + Math.min(k + i, count - 1)));
      const rowWeights = Array.from({ length: ROWS_AT_ONCE }, (_, i) =>
        k + i < count ? weights[y * stride + k + i]! : 0,
      );
      addRows(sums, rows, rowWeights);
      yield;
    }
    const target = output.subarray(y * rowLength, (y + 1) * rowLength);
    for (let x = 0; x < rowLength; x++) target[x] = toByte(sums[x]! >> precision);
  }
  return output;
}

/** Rows that are added up in one go: reading and writing the sums costs as much as a product. */
const ROWS_AT_ONCE = 4;

function addRows(sums: Int32Array, rows: readonly Uint8Array[], weights: readonly number[]): void {
  const [a, b, c, d] = [rows[0]!, rows[1]!, rows[2]!, rows[3]!];
  const [wa, wb, wc, wd] = [weights[0]!, weights[1]!, weights[2]!, weights[3]!];
  for (let x = 0; x < sums.length; x++) {
    const first = (Math.imul(a[x]!, wa) + Math.imul(b[x]!, wb)) | 0;
    const second = (Math.imul(c[x]!, wc) + Math.imul(d[x]!, wd)) | 0;
    sums[x] = (sums[x]! + first + second) | 0;
  }
}

function toByte(value: number): number {
  return value < 0 ? 0 : Math.min(value, 255);
}
