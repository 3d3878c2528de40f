import { writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import type { EditedImage } from './editor-types.js';
import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import type { ImageCodec, ImageFormat } from './image/image-codec.js';
import type { FinishedPicture } from './plugin/plugin.js';

const FORMATS: Readonly<Record<string, ImageFormat>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
  '.avif': 'avif',
};

/**
 * The format that a file's extension stands for.
 * @throws {InvalidArgumentError} when it stands for none that can be written.
 */
export function formatOfPath(path: string): ImageFormat {
  const extension = extname(path).toLowerCase();
  const format = FORMATS[extension];
  if (format !== undefined) return format;
  throw new InvalidArgumentError({
    argument: 'path',
    expected: `a name that ends in ${Object.keys(FORMATS).join(', ')}`,
    received: extension === '' ? path : extension,
  });
}

/** Wraps a finished picture with the ways out of it. */
export function createEditedImage(options: {
  picture: FinishedPicture;
  codec: ImageCodec;
  instruction: string;
}): EditedImage {
  const { picture: finished, codec, instruction } = options;
  const { picture: raster, text, xmp } = finished;
  const toBuffer: EditedImage['toBuffer'] = (format = 'png', encodeOptions = {}) =>
    codec.encode(raster, format, { text, ...(xmp !== undefined && { xmp }), ...encodeOptions });
  return {
    width: raster.width,
    height: raster.height,
    instruction,
    raster,
    toBuffer,
    async toFile(path, encodeOptions) {
      await writeFile(path, await toBuffer(formatOfPath(path), encodeOptions));
    },
    async toSharp() {
      const { default: sharp } = await import('sharp');
      const { width, height, channels, data } = raster;
      return sharp(data, { raw: { width, height, channels } });
    },
  };
}
