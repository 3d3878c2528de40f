/** A picture as the operations see it: red, green and blue planes one after the other, gamma-encoded sRGB in 0..1. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** `3 * width * height` values. */
  readonly values: Float32Array;
}

/** Interleaved 8-bit pixels, as the SDK's rasters have them. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

/** 8-bit pixels to a picture; what follows the third channel is left out. */
export function fromPixels({ width, height, channels, data }: Pixels): Picture {
  const count = width * height;
  const values = new Float32Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < count; pixel++) {
      values[channel * count + pixel] = (data[pixel * channels + channel] as number) / 255;
    }
  }
  return { width, height, values };
}

/** A picture to 8-bit RGB pixels, clamped and rounded. */
export function toPixels({ width, height, values }: Picture): Pixels & { readonly channels: 3 } {
  const count = width * height;
  const data = new Uint8Array(3 * count);
  for (let channel = 0; channel < 3; channel++) {
    for (let pixel = 0; pixel < count; pixel++) {
      data[pixel * 3 + channel] = Math.round(clamp(values[channel * count + pixel] as number) * 255);
    }
  }
  return { width, height, channels: 3, data };
}

/** The picture as an 8-bit file holds it: what comes out of an editor can be no nearer to it than this. */
export function quantised(picture: Picture): Picture {
  const values = picture.values.map((value) => Math.round(clamp(value) * 255) / 255);
  return { ...picture, values };
}

/** Rec. 601 luma, one plane. */
export function luma({ values }: Picture): Float32Array {
  const count = values.length / 3;
  const plane = new Float32Array(count);
  for (let pixel = 0; pixel < count; pixel++) {
    plane[pixel] =
      0.299 * (values[pixel] as number) +
      0.587 * (values[count + pixel] as number) +
      0.114 * (values[2 * count + pixel] as number);
  }
  return plane;
}

/** Into 0..1. */
export function clamp(value: number): number {
  return value < 0 ? 0 : Math.min(value, 1);
}
