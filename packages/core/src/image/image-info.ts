import { readHeader } from './sharp-decode.js';

/** What a picture file says of itself. */
export interface ImageInfo {
  /** Pixels, upright (EXIF orientation applied). */
  readonly width: number;
  readonly height: number;
  readonly format: 'jpeg' | 'png' | 'webp' | 'avif' | 'gif' | 'tiff';
}

/**
 * Reads a picture's header and decodes no pixel: to refuse early what the codec would refuse for its format or size. A file that is
 * damaged further on passes.
 *
 * @param options.bytes The whole file.
 * @param options.maxPixels Default 100 million.
 * @throws {InvalidImageError} when the bytes are no picture that is read, or one with too many pixels.
 * @throws {AbortedError}
 */
export async function readImageInfo(options: {
  bytes: Uint8Array;
  maxPixels?: number;
  signal?: AbortSignal;
}): Promise<ImageInfo> {
  return await readHeader(options.bytes, options);
}
