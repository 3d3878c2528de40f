import type { Raster, Raster8 } from './raster.js';

export type ImageFormat = 'png' | 'jpeg' | 'webp' | 'avif';

/** A picture as read: upright (EXIF orientation applied), sRGB, 8 bits a channel. */
export interface DecodedImage {
  /** RGB, or RGBA where the file has transparency. */
  readonly raster: Raster8;
  /** What the bytes were: `jpeg`, `png`, `webp`, `avif`, `gif`, `tiff`, `raw`. */
  readonly format: string;
}

export interface EncodeOptions {
  /** 1..100, for JPEG, WebP and AVIF. */
  quality?: number;
  /** XMP packet (XML) to embed. */
  xmp?: string;
  /** PNG text entries (iTXt), by keyword. Other formats ignore them. */
  text?: Readonly<Record<string, string>>;
}

/**
 * Everything the SDK takes as a picture: a path, a file URL, bytes, a Blob, a web or Node stream, a sharp instance. A sharp
 * instance stands for what its operations give.
 */
export type ImageInput =
  | string
  | URL
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>
  | SharpLike;

/** The part of a sharp instance that is used to tell it from the others. */
export interface SharpLike {
  clone(): unknown;
  toBuffer(options: { resolveWithObject: true }): Promise<{ data: Uint8Array; info: object }>;
}

/** Reads and writes picture files. Replaceable, e.g. in a browser. */
export interface ImageCodec {
  /** @throws {InvalidImageError} when the bytes are damaged, too large, or of a format that is not taken. */
  decode(input: ImageInput, options?: { maxPixels?: number; signal?: AbortSignal }): Promise<DecodedImage>;
  encode(raster: Raster, format: ImageFormat, options?: EncodeOptions): Promise<Uint8Array>;
}
