import type { Sharp } from 'sharp';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { EncodeOptions, ImageFormat } from './image-codec.js';
import { insertPngChunks, srgbChunk, textChunk } from './png-chunks.js';
import type { Raster } from './raster.js';
import { loadSharp, roundToBytes } from './sharp-module.js';

const DEFAULT_QUALITY = { jpeg: 92, webp: 90, avif: 65 } as const;
/** From this quality on JPEG keeps colour at full resolution. */
const FULL_CHROMA_QUALITY = 90;
/** Largest side, in pixels, that the encoders take. */
const MAX_SIDE: Readonly<Record<ImageFormat, number>> = { png: 2 ** 31 - 1, jpeg: 65_500, webp: 16_383, avif: 16_384 };
/** A longer packet does not fit a JPEG segment; libvips would leave it out without a word. */
const MAX_JPEG_XMP_BYTES = 60_000;

/** Writes a picture as `createSharpCodec` describes. */
export async function encode(raster: Raster, format: ImageFormat, options: EncodeOptions = {}): Promise<Uint8Array> {
  checkFormat(format);
  checkRaster(raster, format);
  checkOptions(format, options);
  const chunks = Object.entries(options.text ?? {}).map(([keyword, text]) => textChunk(keyword, text));
  const wide = raster.data instanceof Uint16Array && format === 'png';
  const picture = wide ? await openWide(raster) : await openBytes(raster);
  // libvips takes 16-bit RGB for Display P3 when it attaches a profile; this chunk says sRGB without one.
  if (wide) chunks.unshift(srgbChunk());
  if (options.xmp !== undefined) picture.withXmp(options.xmp);
  const file = await withFormat(picture, format, options.quality).toBuffer();
  const bytes = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
  return format === 'png' && chunks.length > 0 ? insertPngChunks(bytes, chunks) : bytes;
}

function checkFormat(format: string): void {
  if (Object.hasOwn(MAX_SIDE, format)) return;
  throw new InvalidArgumentError({ argument: 'format', expected: 'png, jpeg, webp or avif', received: format });
}

function checkRaster(raster: Raster, format: ImageFormat): void {
  const { width, height, channels, data } = raster;
  const sides = [width, height];
  if (!sides.every((side) => Number.isInteger(side) && side >= 1 && side <= MAX_SIDE[format])) {
    throw new InvalidArgumentError({
      argument: 'raster',
      expected: `sides of 1..${MAX_SIDE[format]} pixels for ${format.toUpperCase()}`,
      received: `${width} x ${height}`,
    });
  }
  if ((channels !== 3 && channels !== 4) || data.length !== width * height * channels) {
    throw new InvalidArgumentError({
      argument: 'raster',
      expected: 'width x height x channels values, with 3 or 4 channels',
      received: `${data.length} values for ${width} x ${height} x ${channels}`,
    });
  }
}

function checkOptions(format: ImageFormat, { quality, xmp }: EncodeOptions): void {
  if (quality !== undefined && !(Number.isInteger(quality) && quality >= 1 && quality <= 100)) {
    throw new InvalidArgumentError({
      argument: 'quality',
      expected: 'a whole number 1..100',
      received: String(quality),
    });
  }
  if (xmp === undefined) return;
  const length = new TextEncoder().encode(xmp).length;
  if (length === 0 || (format === 'jpeg' && length > MAX_JPEG_XMP_BYTES)) {
    const expected = format === 'jpeg' ? `a packet of 1..${MAX_JPEG_XMP_BYTES} bytes` : 'a packet that is not empty';
    throw new InvalidArgumentError({ argument: 'xmp', expected, received: `${length} bytes` });
  }
}

/** A sharp instance over the pixels, to be written with 16 bits a channel. */
async function openWide(raster: Raster): Promise<Sharp> {
  const { width, height, channels, data } = raster;
  const sharp = await loadSharp();
  return sharp(data, { raw: { width, height, channels }, limitInputPixels: false }).toColourspace('rgb16');
}

/** A sharp instance over the pixels, to be written with 8 bits a channel and the sRGB profile. */
async function openBytes(raster: Raster): Promise<Sharp> {
  const { width, height, channels, data } = raster;
  const sharp = await loadSharp();
  const bytes = data instanceof Uint16Array ? (await roundToBytes(data, raster)).data : data;
  return sharp(bytes, { raw: { width, height, channels }, limitInputPixels: false }).withIccProfile('srgb');
}

function withFormat(picture: Sharp, format: ImageFormat, quality: number | undefined): Sharp {
  switch (format) {
    case 'png':
      return picture.png();
    case 'jpeg': {
      const jpegQuality = quality ?? DEFAULT_QUALITY.jpeg;
      const chromaSubsampling = jpegQuality >= FULL_CHROMA_QUALITY ? '4:4:4' : '4:2:0';
      return picture.flatten({ background: '#ffffff' }).jpeg({ quality: jpegQuality, chromaSubsampling });
    }
    case 'webp':
      return picture.webp({ quality: quality ?? DEFAULT_QUALITY.webp });
    case 'avif':
      return picture.avif({ quality: quality ?? DEFAULT_QUALITY.avif });
  }
}
