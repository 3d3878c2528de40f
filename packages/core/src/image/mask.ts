import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { DecodedImage, ImageCodec, ImageInput } from './image-codec.js';
import type { Raster8 } from './raster.js';
import { type Pixels, resample } from './resample.js';
import { runInSlices } from './time-slice.js';

/** Pixels between two chances for the event loop. */
const STEP = 1 << 16;
/** Formats whose compression turns plain black and white into nearly that. */
const LOSSY_FORMATS: readonly string[] = ['jpeg', 'webp', 'avif'];
/** How far from black or white a pixel of a lossy mask still counts as it. */
const LOSSY_TOLERANCE = 8;

/**
 * Reads a mask picture: how far each pixel of the source may change, 255 altogether, 0 not at all, between them a blend.
 *
 * One rule decides, by whether the mask has transparency:
 * - **without**: white may change, black stays; of colours the luminance counts (ITU-R BT.601).
 * - **with**: transparent areas may change, opaque ones stay, whatever their colour, as in OpenAI's images API.
 *
 * The mask may have any size; it is stretched over the source (bilinear, averaging where it shrinks). In JPEG, WebP and AVIF
 * masks what is within 8 levels of black or white counts as black or white.
 *
 * @param options.size width and height of the source
 * @returns `width * height` values, row-major
 * @throws {InvalidImageError} the mask cannot be read
 * @throws {AbortedError} `signal` was aborted
 */
export async function decodeMask(options: {
  input: ImageInput;
  codec: ImageCodec;
  size: { readonly width: number; readonly height: number };
  maxPixels?: number;
  signal?: AbortSignal;
}): Promise<Uint8Array> {
  const { input, codec, size, maxPixels, signal } = options;
  const limits = { ...(maxPixels !== undefined && { maxPixels }), ...(signal !== undefined && { signal }) };
  const image = await codec.decode(input, limits);
  const { width, height } = image.raster;
  const data = await runInSlices(maskValues(image), { signal });
  const mask: Pixels<1> = { width, height, channels: 1, data };
  if (width === size.width && height === size.height) return data;
  return (await resample({ image: mask, width: size.width, height: size.height, method: 'pillow-bilinear', signal }))
    .data;
}

/** The mask at its own size. */
function* maskValues({ raster, format }: DecodedImage): Generator<void, Uint8Array> {
  const { channels, data } = raster;
  const values = new Uint8Array(raster.width * raster.height);
  const tolerance = LOSSY_FORMATS.includes(format) ? LOSSY_TOLERANCE : 0;
  for (let start = 0; start < values.length; start += STEP) {
    const end = Math.min(start + STEP, values.length);
    for (let pixel = start; pixel < end; pixel += 1) {
      const offset = pixel * channels;
      // 0.299, 0.587 and 0.114 in 16 bits.
      const value =
        channels === 4
          ? 255 - data[offset + 3]!
          : (data[offset]! * 19595 + data[offset + 1]! * 38470 + data[offset + 2]! * 7471 + 0x8000) >> 16;
      values[pixel] = value < tolerance ? 0 : value > 255 - tolerance ? 255 : value;
    }
    yield;
  }
  return values;
}

/** What is laid over what: all of one size, in pixels. */
export interface Composite {
  /** What shows where the mask is 0. */
  source: Raster8;
  /** What shows where the mask is 255. */
  edited: Raster8;
  /** `width * height` values 0..255, row-major. */
  mask: Uint8Array;
}

/**
 * Lays an edited picture over its source through a mask. Where the mask is 0 the result's pixels are the source's, where it is
 * 255 the edited picture's; between them the two blend, colours weighted by their opacity. The result has an alpha channel if
 * one of the two has. Gives way to the event loop now and then.
 *
 * @throws {InvalidArgumentError} the sizes differ
 * @throws {AbortedError} `signal` was aborted
 */
export async function compositeOutsideMask(
  options: Composite & { signal?: AbortSignal | undefined },
): Promise<Raster8> {
  checkSizes(options);
  return runInSlices(blend(options), options);
}

function checkSizes({ source, edited, mask }: Composite): void {
  const pixels = source.width * source.height;
  if (edited.width !== source.width || edited.height !== source.height) {
    throw new InvalidArgumentError({
      argument: 'edited',
      expected: `the source's size, ${source.width} x ${source.height},`,
      received: `${edited.width} x ${edited.height}`,
    });
  }
  if (mask.length !== pixels) {
    throw new InvalidArgumentError({
      argument: 'mask',
      expected: `a value for each of ${pixels} pixels`,
      received: `${mask.length} values`,
    });
  }
}

function* blend({ source, edited, mask }: Composite): Generator<void, Raster8> {
  const { width, height } = source;
  const channels = source.channels === 4 || edited.channels === 4 ? 4 : 3;
  const target: Raster8 = { width, height, channels, data: new Uint8Array(mask.length * channels) };
  for (let start = 0; start < mask.length; start += STEP) {
    const stepEnd = Math.min(start + STEP, mask.length);
    // Masks are flat for the most part: equal values are handled together.
    for (let from = start; from < stepEnd; ) {
      const weight = mask[from]!;
      let end = from + 1;
      while (end < stepEnd && mask[end] === weight) end += 1;
      if (weight === 0) copyRun(source, target, from, end);
      else if (weight === 255) copyRun(edited, target, from, end);
      else if (channels === 3) blendOpaqueRun(source.data, edited.data, target.data, from * 3, end * 3, weight);
      else blendRun(source, edited, target.data, { from, end, weight });
      from = end;
    }
    yield;
  }
  return target;
}

function copyRun(picture: Raster8, target: Raster8, from: number, end: number): void {
  const { channels, data } = picture;
  if (channels === target.channels) {
    target.data.set(data.subarray(from * channels, end * channels), from * channels);
    return;
  }
  // RGB into RGBA.
  for (let pixel = from; pixel < end; pixel += 1) {
    target.data[pixel * 4] = data[pixel * 3]!;
    target.data[pixel * 4 + 1] = data[pixel * 3 + 1]!;
    target.data[pixel * 4 + 2] = data[pixel * 3 + 2]!;
    target.data[pixel * 4 + 3] = 255;
  }
}

function blendOpaqueRun(
  before: Uint8Array,
  after: Uint8Array,
  target: Uint8Array,
  from: number,
  end: number,
  weight: number,
): void {
  const kept = 255 - weight;
  for (let index = from; index < end; index += 1) {
    target[index] = ((before[index]! * kept + after[index]! * weight + 127) / 255) | 0;
  }
}

/** The weighted mean of RGBA pixels. Colours are weighted by opacity too, so that the hidden colour of a clear pixel stays hidden. */
function blendRun(
  source: Raster8,
  edited: Raster8,
  target: Uint8Array,
  run: { from: number; end: number; weight: number },
): void {
  const before = source.data;
  const after = edited.data;
  for (let pixel = run.from; pixel < run.end; pixel += 1) {
    const left = pixel * source.channels;
    const right = pixel * edited.channels;
    const out = pixel * 4;
    const kept = (255 - run.weight) * (source.channels === 4 ? before[left + 3]! : 255);
    const changed = run.weight * (edited.channels === 4 ? after[right + 3]! : 255);
    // Two clear pixels: the colour does not show, the source's is as good as any.
    const total = kept + changed;
    const share = total === 0 ? 1 : kept / total;
    target[out] = (before[left]! * share + after[right]! * (1 - share) + 0.5) | 0;
    target[out + 1] = (before[left + 1]! * share + after[right + 1]! * (1 - share) + 0.5) | 0;
    target[out + 2] = (before[left + 2]! * share + after[right + 2]! * (1 - share) + 0.5) | 0;
    target[out + 3] = (total / 255 + 0.5) | 0;
  }
}
