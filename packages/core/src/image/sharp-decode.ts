import { deflateSync } from 'node:zlib';
import type { Metadata, Sharp } from 'sharp';
import { throwIfAborted } from '../errors/aborted-error.js';
import { InvalidImageError } from '../errors/invalid-image-error.js';
import { abortable } from './abortable.js';
import { firstPicture } from './first-picture.js';
import type { DecodedImage, ImageInput, SharpLike } from './image-codec.js';
import { insertPngChunks, profileChunk } from './png-chunks.js';
import type { Raster8 } from './raster.js';
import { isSharpLike, readInput } from './read-input.js';
import { checkLimit, loadSharp, type RawPicture, renderBytes, roundToBytes } from './sharp-module.js';
import { type InputFormat, isInputFormat, type SniffedFormat, sniffFormat } from './sniff-format.js';
import { runInSlices } from './time-slice.js';

const DEFAULT_MAX_PIXELS = 100_000_000;
/** The longest side that JPEG has. Beyond it weights of resampling, several a pixel of the side, take more room than the picture. */
const MAX_SIDE = 65_535;
export const DEFAULT_MAX_BYTES = 512 * 1024 * 1024;
/** Bytes between two chances for the event loop. */
const STEP = 1 << 19;

const HEIC_HINT =
  'Convert it to JPEG first: `sips -s format jpeg photo.heic --out photo.jpg` on a Mac, `heif-convert photo.heic photo.jpg` ' +
  '(libheif) elsewhere; an iPhone takes JPEG with Settings > Camera > Formats > Most Compatible';

interface DecodeOptions {
  maxBytes: number;
  maxPixels?: number;
  signal?: AbortSignal;
}

/** Reads a picture as `createSharpCodec` describes. */
export async function decode(input: ImageInput, options: DecodeOptions): Promise<DecodedImage> {
  const { maxPixels = DEFAULT_MAX_PIXELS, maxBytes, signal } = options;
  checkLimit('maxPixels', maxPixels);
  throwIfAborted(signal);
  if (isSharpLike(input)) {
    const bytes = await renderInstance(input, signal);
    return { raster: await decodeBytes(bytes, 'png', { maxPixels, signal }), format: 'raw' };
  }
  const bytes = await readInput({ input, maxBytes, signal });
  const format = checkFormat(bytes);
  return { raster: await decodeBytes(firstPicture(bytes, format), format, { maxPixels, signal }), format };
}

/** Reads a picture's header as `readImageInfo` describes. */
export async function readHeader(
  bytes: Uint8Array,
  options: { maxPixels?: number; signal?: AbortSignal | undefined },
): Promise<{ width: number; height: number; format: InputFormat }> {
  const { maxPixels = DEFAULT_MAX_PIXELS, signal } = options;
  checkLimit('maxPixels', maxPixels);
  throwIfAborted(signal);
  const format = checkFormat(bytes);
  const file = firstPicture(bytes, format);
  const sharp = await loadSharp();
  try {
    const metadata = await abortable(sharp(file, { limitInputPixels: false }).metadata(), signal);
    checkMetadata(metadata, maxPixels);
    return { width: metadata.autoOrient.width, height: metadata.autoOrient.height, format };
  } catch (cause) {
    throw damaged(format, cause, signal);
  }
}

/** What a sharp instance gives, losslessly: a PNG without compression. The instance itself stays unused. */
async function renderInstance(instance: SharpLike, signal: AbortSignal | undefined): Promise<Uint8Array> {
  try {
    const copy = instance.clone() as Sharp;
    return await abortable(copy.png({ compressionLevel: 0, palette: false }).toBuffer(), signal);
  } catch (cause) {
    throwIfAborted(signal);
    throw new InvalidImageError({
      expected: 'a sharp instance that gives a picture',
      received: firstLine(cause),
      cause,
    });
  }
}

function checkFormat(bytes: Uint8Array): InputFormat {
  const format = sniffFormat(bytes);
  if (isInputFormat(format)) return format;
  throw refuse(format, bytes);
}

function refuse(format: Exclude<SniffedFormat, InputFormat>, bytes: Uint8Array): InvalidImageError {
  const expected = 'a JPEG, PNG, WebP, AVIF, GIF or TIFF picture';
  if (bytes.length === 0) return new InvalidImageError({ expected, received: 'an empty file' });
  if (format === 'unknown') return new InvalidImageError({ expected, received: 'bytes of no known picture format' });
  if (format === 'heic') return new InvalidImageError({ expected, received: 'a HEIC picture', hint: HEIC_HINT });
  const hint = 'Convert it to PNG or JPEG first';
  return new InvalidImageError({ expected, received: `a file of the format ${format.toUpperCase()}`, hint });
}

/** libvips puts one complaint a line, often the same one several times. */
function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n', 1)[0]!.replace('Input buffer has corrupt header: ', '');
}

async function decodeBytes(
  bytes: Uint8Array,
  format: InputFormat,
  limits: { maxPixels: number; signal: AbortSignal | undefined },
): Promise<Raster8> {
  const { maxPixels, signal } = limits;
  const sharp = await loadSharp();
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // `error` also refuses truncated files; `warning` would refuse the many photos with harmless flaws in their markers.
  const common = { failOn: 'error', autoOrient: true } as const;
  try {
    const metadata = await abortable(sharp(file, { ...common, limitInputPixels: false }).metadata(), signal);
    checkMetadata(metadata, maxPixels);
    const open = (ignoreIcc: boolean): Sharp => sharp(file, { ...common, limitInputPixels: maxPixels, ignoreIcc });
    const { data, info } = await abortable(render(open, metadata), signal);
    return await toRaster(data, info, signal);
  } catch (cause) {
    throw damaged(format, cause, signal);
  }
}

/** What is thrown for what libvips threw. */
function damaged(format: InputFormat, cause: unknown, signal: AbortSignal | undefined): InvalidImageError {
  throwIfAborted(signal);
  if (cause instanceof InvalidImageError) return cause;
  const hint = /labq/.test(String(cause))
    ? 'Lab with 8 bits a channel is not read: convert it to RGB first'
    : undefined;
  return new InvalidImageError({
    expected: `a sound ${format.toUpperCase()} file`,
    received: `a damaged or unusual one (${firstLine(cause)})`,
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

/** Refuses by the header what must not or cannot be decoded. */
function checkMetadata(metadata: Metadata, maxPixels: number): void {
  const { width, height, depth, space } = metadata;
  if (width * height > maxPixels) {
    const received = `one of ${width} x ${height}, which is ${width * height}`;
    throw new InvalidImageError({ expected: `a picture of at most ${maxPixels} pixels`, received });
  }
  if (Math.max(width, height) > MAX_SIDE) {
    const expected = `a picture with sides of at most ${MAX_SIDE} pixels`;
    throw new InvalidImageError({ expected, received: `one of ${width} x ${height}` });
  }
  if (metadata.compression === 'hevc') {
    throw new InvalidImageError({ expected: 'an AVIF picture', received: 'a HEIC picture', hint: HEIC_HINT });
  }
  // 16-bit Lab is signed. Floating-point pictures have no agreed range to bring to 8 bits.
  if (depth !== 'uchar' && depth !== 'ushort' && space !== 'labs') {
    throw new InvalidImageError({ expected: 'a picture of 8 or 16 bits a channel', received: `one of type ${depth}` });
  }
}

/**
 * Whether there is an ICC profile worth the name: it has the signature `acsp` at byte 36 (ICC.1, section 7.2). libvips would
 * report others on the console.
 */
function hasProfile(metadata: Metadata): boolean {
  return metadata.icc !== undefined && metadata.icc.toString('latin1', 36, 40) === 'acsp';
}

/** Pixels as 8-bit sRGB. `open` gives the file anew, with its profile or without. */
async function render(open: (ignoreIcc: boolean) => Sharp, metadata: Metadata): Promise<RawPicture> {
  const { space, icc } = metadata;
  if (space !== 'rgb16' && space !== 'grey16') return renderBytes(open(!hasProfile(metadata)));
  // libvips would cut off the lower byte, and bring 16-bit RGB with a profile to Display P3, coarsely. So the numbers are
  // rounded to 8 bits first; then the profile, if there is one, is applied as it is to any 8-bit picture.
  const wide = open(true).toColourspace('rgb16').raw({ depth: 'ushort' });
  const { data, info } = await wide.toBuffer({ resolveWithObject: true });
  const values = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
  const rounded = await roundToBytes(values, info);
  if (space === 'grey16' || icc === undefined || !hasProfile(metadata)) return rounded;
  const sharp = await loadSharp();
  const png = await sharp(rounded.data, { raw: rounded.info, limitInputPixels: false })
    .png({ compressionLevel: 0 })
    .toBuffer();
  return renderBytes(sharp(insertPngChunks(png, [profileChunk(deflateSync(icc))]), { limitInputPixels: false }));
}

/**
 * Copies pixels out of the native library's memory, which cannot be moved to a worker thread, and drops an alpha channel that is
 * 255 everywhere.
 */
async function toRaster(data: Uint8Array, info: RawPicture['info'], signal: AbortSignal | undefined): Promise<Raster8> {
  const { width, height, channels } = info;
  if (channels !== 3 && channels !== 4) {
    throw new InvalidImageError({ expected: 'a picture of RGB or RGBA pixels', received: `${channels} channels` });
  }
  const opaque = channels === 4 && (await runInSlices(isOpaque(data), { signal }));
  const copied = await runInSlices(opaque ? withoutAlpha(data) : copy(data), { signal });
  return { width, height, channels: opaque ? 3 : channels, data: copied };
}

function* isOpaque(rgba: Uint8Array): Generator<void, boolean> {
  for (let start = 0; start < rgba.length; start += STEP) {
    const end = Math.min(start + STEP, rgba.length);
    for (let index = start + 3; index < end; index += 4) {
      if (rgba[index] !== 255) return false;
    }
    yield;
  }
  return true;
}

function* withoutAlpha(rgba: Uint8Array): Generator<void, Uint8Array> {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  let target = 0;
  for (let start = 0; start < rgba.length; start += STEP) {
    const end = Math.min(start + STEP, rgba.length);
    for (let index = start; index < end; index += 4) {
      rgb[target] = rgba[index]!;
      rgb[target + 1] = rgba[index + 1]!;
      rgb[target + 2] = rgba[index + 2]!;
      target += 3;
    }
    yield;
  }
  return rgb;
}

function* copy(data: Uint8Array): Generator<void, Uint8Array> {
  const copied = new Uint8Array(data.length);
  for (let start = 0; start < data.length; start += STEP) {
    copied.set(data.subarray(start, start + STEP), start);
    yield;
  }
  return copied;
}
