import { type Job, type JobPreviewEvent, type Raster8, resample, sharpCodec } from '@vibe-edit/core';
import type { ImageParameters } from './image-parameters.js';

/** Longest side of a partial image: it is shown for a moment. */
const MAX_SIDE = 1024;
/** Pixels a pixel of the preview where nobody said how large the result will be. */
const ENLARGEMENT = 16;

export interface PartialImage {
  readonly index: number;
  readonly bytes: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/**
 * Picks the previews of a job that become partial images, spread evenly over its steps, and brings them to the result's size and
 * format.
 *
 * @param options.count How many are wanted; there are fewer when the job has fewer steps.
 */
export function createPartialImages(options: { job: Job; params: ImageParameters; count: number }) {
  const { job, params, count } = options;
  let sent = 0;

  return {
    /** The partial image that this preview becomes, if it becomes one. */
    async next(event: JobPreviewEvent): Promise<PartialImage | undefined> {
      const { step, steps } = event.progress;
      if (sent >= count || step < Math.ceil(((sent + 1) * steps) / (count + 1))) return undefined;
      const index = sent++;
      const { raster } = await sharpCodec.decode(event.preview.data);
      const { width, height } = partialSize(job, raster);
      const enlarged = await resample({ image: raster, width, height, method: 'pillow-bicubic' });
      const picture = { ...raster, width, height, data: enlarged.data } as Raster8;
      const quality = params.output_compression;
      const format = params.output_format ?? 'png';
      const encoding = quality === undefined ? {} : { quality: Math.max(1, quality) };
      return { index, bytes: await sharpCodec.encode(picture, format, encoding), width, height };
    },
  };
}

/** The result's size as far as it is known, or one of the preview's shape; at most 1024 a side. */
function partialSize(job: Job, preview: Raster8): { width: number; height: number } {
  const { image, settings } = job.request;
  const source = image !== undefined && 'width' in image ? image : undefined;
  const bounds = settings?.size;
  const shape = source ?? bounds ?? { width: preview.width * ENLARGEMENT, height: preview.height * ENLARGEMENT };
  const inside = bounds ?? shape;
  const scale = Math.min(
    inside.width / shape.width,
    inside.height / shape.height,
    MAX_SIDE / shape.width,
    MAX_SIDE / shape.height,
  );
  const side = (value: number): number => Math.max(1, Math.round(value * scale));
  return { width: side(shape.width), height: side(shape.height) };
}
