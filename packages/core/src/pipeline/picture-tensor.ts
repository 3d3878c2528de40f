import type { HostTensor } from '../backend/tensor.js';
import { rasterToTensor } from '../image/pixel-tensor.js';
import type { Raster8 } from '../image/raster.js';
import { resample } from '../image/resample.js';
import { runInSlices } from '../image/time-slice.js';
import type { Size } from '../plugin/plugin.js';

/** Pixels between two chances for the event loop. */
const STEP = 1 << 16;

/** A raster of three channels: transparency laid over white, as the model sees it. Opaque rasters come back as they are. */
export async function flattenOnWhite(image: Raster8, signal?: AbortSignal): Promise<Raster8> {
  return image.channels === 3 ? image : await runInSlices(flatten(image), { signal });
}

function* flatten({ width, height, data }: Raster8): Generator<void, Raster8> {
  const pixels = width * height;
  const flat = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    const alpha = data[pixel * 4 + 3] as number;
    for (let channel = 0; channel < 3; channel++) {
      flat[pixel * 3 + channel] = Math.round(
        ((data[pixel * 4 + channel] as number) * alpha + 255 * (255 - alpha)) / 255,
      );
    }
    if (pixel % STEP === 0) yield;
  }
  return { width, height, channels: 3, data: flat };
}

/** A picture at a size as the autoencoder takes it: [1, 3, height, width] in -1..1, resized as Pillow's Lanczos does. */
export async function pictureTensor(image: Raster8, size: Size, signal?: AbortSignal): Promise<HostTensor<'float32'>> {
  const flat = await flattenOnWhite(image, signal);
  const { width, height } = size;
  const raster: Raster8 = {
    ...(await resample({ image: flat, width, height, method: 'pillow-lanczos', signal })),
    channels: 3,
  };
  return await rasterToTensor({ raster, signal });
}
