/** Pixels, row-major, channels interleaved, sRGB. Alpha, where there is one, is the fourth channel and not premultiplied. */
export interface Raster<Pixels extends Uint8Array | Uint16Array = Uint8Array | Uint16Array> {
  readonly width: number;
  readonly height: number;
  readonly channels: 3 | 4;
  /** `width * height * channels` values, 0..255 or 0..65535. */
  readonly data: Pixels;
}

/** An 8-bit picture. */
export type Raster8 = Raster<Uint8Array>;
