import { fileURLToPath } from 'node:url';
import { type HostTensor, hostTensor, type Raster8, rasterToTensor, resample } from '@vibe-edit/core/runtime';
import sharp from 'sharp';
import type { FloatPicture } from './exact-operations.js';

/** The photos of the examples, and the working size that a checkpoint of 256 pixels has for each. */
export const PHOTOS = {
  chelsea: { width: 304, height: 208 },
  coffee: { width: 304, height: 208 },
  astronaut: { width: 256, height: 256 },
} as const;

export type PhotoName = keyof typeof PHOTOS;

/** A photo, 8-bit RGB, at its own size or stretched to another. */
export async function photo(name: PhotoName, size?: { width: number; height: number }): Promise<Raster8> {
  const file = sharp(fileURLToPath(new URL(`../../examples/photos/${name}.jpg`, import.meta.url)));
  const sized = size === undefined ? file : file.resize({ ...size, fit: 'fill', kernel: 'cubic' });
  const { data, info } = await sized.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data: new Uint8Array(data) };
}

/** The picture stretched to working size, [1, 3, height, width] in -1..1. */
export async function workingTensor(
  raster: Raster8,
  size: { width: number; height: number },
): Promise<HostTensor<'float32'>> {
  const { width, height } = size;
  const small = await resample({ image: withoutAlpha(raster), width, height, method: 'pillow-lanczos' });
  return rasterToTensor({ raster: small });
}

function withoutAlpha({ width, height, channels, data }: Raster8): Raster8 & { channels: 3 } {
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < rgb.length; i++) rgb[i] = data[Math.floor(i / 3) * channels + (i % 3)]!;
  return { width, height, channels: 3, data: rgb };
}

/** Colours as 0..1; alpha left out. */
export function floats({ width, height, channels, data }: Raster8): FloatPicture {
  const values = new Float64Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++) values[pixel * 3 + channel] = data[pixel * channels + channel]! / 255;
  }
  return { width, height, values };
}

/** Planes in -1..1 to interleaved 0..1... */
export function fromTensor({ shape, values }: HostTensor<'float32'>): FloatPicture {
  const [, , height = 0, width = 0] = shape;
  const area = width * height;
  const interleaved = new Float64Array(3 * area);
  for (let i = 0; i < 3 * area; i++) interleaved[i] = values[(i % 3) * area + Math.floor(i / 3)]! / 2 + 0.5;
  return { width, height, values: interleaved };
}

/** ...and back. */
export function toTensor({ width, height, values }: FloatPicture): HostTensor<'float32'> {
  const area = width * height;
  const planes = new Float32Array(3 * area);
  for (let i = 0; i < 3 * area; i++) planes[(i % 3) * area + Math.floor(i / 3)] = values[i]! * 2 - 1;
  return hostTensor('float32', [1, 3, height, width], planes);
}

const REACH = 3;

/** Stands in for encoding and decoding: a Gaussian blur of one pixel, edges replicated. */
export function throughAutoencoder({ width, height, values }: FloatPicture): FloatPicture {
  const across = blurLines(values, { lines: height, lineStep: width * 3, count: width, step: 3 });
  return { width, height, values: blurLines(across, { lines: width, lineStep: 3, count: height, step: width * 3 }) };
}

function blurLines(
  from: Float64Array,
  { lines, lineStep, count, step }: { lines: number; lineStep: number; count: number; step: number },
): Float64Array {
  const kernel = Array.from({ length: 2 * REACH + 1 }, (_, tap) => Math.exp(-((tap - REACH) ** 2) / 2));
  const sum = kernel.reduce((total, weight) => total + weight, 0);
  const to = new Float64Array(from.length);
  for (let line = 0; line < lines; line++) {
    for (let index = 0; index < count; index++) {
      for (let tap = -REACH; tap <= REACH; tap++) {
        const source = line * lineStep + Math.min(Math.max(index + tap, 0), count - 1) * step;
        const weight = kernel[tap + REACH]! / sum;
        for (let channel = 0; channel < 3; channel++) {
          to[line * lineStep + index * step + channel]! += weight * from[source + channel]!;
        }
      }
    }
  }
  return to;
}

/** Peak signal-to-noise ratio in dB, over the pixels for which `where` holds. */
export function psnr(one: FloatPicture, other: FloatPicture, where: (pixel: number) => boolean = () => true): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < one.values.length; i++) {
    if (!where(Math.floor(i / 3))) continue;
    sum += (one.values[i]! - other.values[i]!) ** 2;
    count += 1;
  }
  return -10 * Math.log10(sum / count);
}
