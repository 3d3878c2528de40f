import type { OutputInfo, Sharp } from 'sharp';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

/** Pixels as sharp gives them. */
export interface RawPicture {
  data: Buffer;
  info: OutputInfo;
}

/** sharp, loaded with its native library when the first picture comes. */
export async function loadSharp(): Promise<typeof import('sharp').default> {
  return (await import('sharp')).default;
}

export function checkLimit(argument: string, limit: number): void {
  if (Number.isSafeInteger(limit) && limit > 0) return;
  throw new InvalidArgumentError({ argument, expected: 'a whole number above 0', received: String(limit) });
}

/** The pixels a sharp instance gives, 8 bits a channel. */
export function renderBytes(instance: Sharp): Promise<RawPicture> {
  return instance.raw({ depth: 'uchar' }).toBuffer({ resolveWithObject: true });
}

/** 16 to 8 bits a channel: divided by 257 and rounded, where libvips would cut off the lower byte. */
export async function roundToBytes(
  values: Uint16Array,
  size: { width: number; height: number; channels: 1 | 2 | 3 | 4 },
): Promise<RawPicture> {
  const { width, height, channels } = size;
  const sharp = await loadSharp();
  const scale = new Array<number>(channels).fill(1 / 257);
  const half = new Array<number>(channels).fill(0.5);
  const picture = sharp(values, { raw: { width, height, channels }, limitInputPixels: false }).linear(scale, half);
  // Still 16-bit by name: else libvips would shift the numbers down once more.
  return renderBytes(picture.toColourspace('rgb16'));
}

/**
 * Lets libvips open nothing but the formats the codec takes: JPEG, PNG, WebP, AVIF, GIF and TIFF.
 *
 * The codec does not need this: it tells the format from the bytes itself and hands libvips only what it knows, as bytes, never
 * as a path. This is a second lock, and one that holds for **every** use of sharp in the process. A program that owns its
 * process, such as a server, turns it; a library must not, since its host may well want sharp to read an SVG.
 */
export async function blockOtherLoaders(): Promise<void> {
  const sharp = await loadSharp();
  sharp.block({ operation: ['VipsForeignLoad'] });
  const formats = ['Jpeg', 'Uhdr', 'Png', 'Webp', 'Heif', 'Nsgif', 'Tiff'];
  sharp.unblock({ operation: formats.map((format) => `VipsForeignLoad${format}`) });
}
