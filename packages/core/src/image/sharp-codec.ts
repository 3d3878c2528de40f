import type { ImageCodec } from './image-codec.js';
import { DEFAULT_MAX_BYTES, decode } from './sharp-decode.js';
import { encode } from './sharp-encode.js';
import { checkLimit } from './sharp-module.js';

export interface SharpCodecOptions {
  /** Most bytes an input file may have. Default 512 MiB. */
  maxBytes?: number;
}

/**
 * Makes the codec of Node: sharp, which is loaded with the first picture.
 *
 * **In**: JPEG, PNG, WebP, AVIF, GIF and TIFF, told by their content; of animations and multi-page files the first picture. Any
 * other format, camera raw in a TIFF file included, is refused before libvips sees a byte of it (a program that owns its process
 * can lock the other loaders too: `blockOtherLoaders`); so are floating-point pictures and Lab of 8 bits. Pixels come out upright, as sRGB (by the embedded profile; CMYK
 * without one by libvips' generic CMYK), 8 bits a channel, 16-bit ones rounded. An alpha channel stays where the file has
 * transparency; one that is opaque everywhere is dropped, since it says nothing. Size limits are checked on the header, before
 * any pixel is decoded; a truncated or damaged file is an error, never half a picture. A sharp instance stands for what its
 * operations give, so that its own `autoOrient()` decides about EXIF; its output format plays no part.
 *
 * **Out**: PNG (8 or 16 bits), JPEG, WebP, AVIF (8 bits), tagged as sRGB. JPEG has no transparency: pixels are laid on white.
 */
export function createSharpCodec(options: SharpCodecOptions = {}): ImageCodec {
  const maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
  checkLimit('maxBytes', maxBytes);
  return {
    decode: (input, decodeOptions) => decode(input, { maxBytes, ...decodeOptions }),
    encode,
  };
}

/** The codec with its default limits. */
export const sharpCodec: ImageCodec = createSharpCodec();
