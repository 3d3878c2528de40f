import { type HostTensor, hostTensor } from '../backend/tensor.js';
import type { ImageProcessorConfig } from '../checkpoint/configs.js';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { smartResize } from './geometry.js';
import type { Raster8 } from './raster.js';
import { resample } from './resample.js';
import { runInSlices } from './time-slice.js';

/** The authors' limits on the area that the vision tower sees, in pixels. */
const MIN_PIXELS = 352 ** 2;
const MAX_PIXELS = 672 ** 2;

/** A picture as the vision tower takes it. */
export interface VisionInput {
  /**
   * uint8 [patches, 3, patch, patch]: pixel value = code / 127.5 - 1. Patches go by merge blocks: rows of blocks, blocks of a row, then rows
   * and columns inside a block. All temporal frames of a still picture are the same, so one is kept.
   */
  readonly pixelCodes: HostTensor<'uint8'>;
  /** Patches in time, down and across: `image_grid_thw`. */
  readonly grid: readonly [time: number, height: number, width: number];
}

/**
 * Cuts a picture into patches as the fast Qwen2-VL image processor does: `smartResize`, torch's antialiased bicubic on 8 bits, patches
 * in merge-block order. Alpha is left out. Gives way to the event loop about every 12 ms.
 *
 * @param options.config sizes of patches and merge blocks
 * @param options.minPixels smallest area to show, in pixels; default 352 x 352
 * @param options.maxPixels largest area to show, in pixels; default 672 x 672
 * @throws {InvalidImageError} one side is over 200 times the other
 * @throws {InvalidCheckpointError} the config asks for pixel values other than code / 127.5 - 1
 * @throws {AbortedError} the signal was aborted
 */
export async function prepareVisionInput(options: {
  image: Raster8;
  config: ImageProcessorConfig;
  minPixels?: number;
  maxPixels?: number;
  signal?: AbortSignal | undefined;
}): Promise<VisionInput> {
  const { image, config, minPixels = MIN_PIXELS, maxPixels = MAX_PIXELS, signal } = options;
  checkPixelValues(config);
  const factor = config.patch_size * config.merge_size;
  const size = smartResize({ width: image.width, height: image.height, factor, minPixels, maxPixels });
  const resized = await resample({ image, ...size, method: 'torch-bicubic', signal });
  return runInSlices(cutPatches(resized, config), { signal });
}

function* cutPatches(image: Raster8, config: ImageProcessorConfig): Generator<void, VisionInput> {
  const { patch_size: patch, merge_size: merge } = config;
  const { width, channels, data } = image;
  const rows = image.height / patch;
  const columns = width / patch;
  const codes = new Uint8Array(rows * columns * 3 * patch * patch);
  let target = 0;
  for (let blockRow = 0; blockRow < rows; blockRow += merge) {
    for (let blockColumn = 0; blockColumn < columns; blockColumn += merge) {
      for (let inside = 0; inside < merge * merge; inside++) {
        const top = (blockRow + Math.floor(inside / merge)) * patch;
        const left = (blockColumn + (inside % merge)) * patch;
        for (let channel = 0; channel < 3; channel++) {
          for (let y = top; y < top + patch; y++) {
            let source = (y * width + left) * channels + channel;
            for (let x = 0; x < patch; x++) {
              codes[target++] = data[source]!;
              source += channels;
            }
          }
        }
      }
    }
    yield;
  }
  return {
    pixelCodes: hostTensor('uint8', [rows * columns, 3, patch, patch], codes),
    grid: [1, rows, columns],
  };
}

/** The vision tower's graph turns codes into values by one formula; a checkpoint with another would be run wrongly. */
function checkPixelValues(config: ImageProcessorConfig): void {
  const { image_mean, image_std, rescale_factor } = config;
  const halves = (values: readonly number[]) => values.length === 3 && values.every((value) => value === 0.5);
  if (halves(image_mean) && halves(image_std) && Math.abs(rescale_factor * 255 - 1) < 1e-6) return;
  throw new InvalidCheckpointError({
    file: 'tokenizer/preprocessor_config.json',
    expected: 'image_mean and image_std of 0.5 and rescale_factor 1/255',
    received: `mean [${image_mean.join(', ')}], std [${image_std.join(', ')}], factor ${rescale_factor}`,
  });
}
