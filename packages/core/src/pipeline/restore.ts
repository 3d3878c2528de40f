import { letterbox } from '../image/geometry.js';
import { compositeOutsideMask } from '../image/mask.js';
import { tensorToRaster } from '../image/pixel-tensor.js';
import type { Raster8 } from '../image/raster.js';
import { resample } from '../image/resample.js';
import { resizeAndCrop } from '../image/resample-float.js';
import { runInSlices } from '../image/time-slice.js';
import type { PreparedInput, RestoreState, Size, Warning } from '../plugin/plugin.js';
import type { ResolvedRequest } from './request.js';

/** A value counts as changed from this many levels of 255 on; a picture, when more than this share of its values are. */
const CHANGED_LEVELS = 3;
const CHANGED_SHARE = 2e-4;
/** Pixels between two chances for the event loop. */
const STEP = 1 << 16;

export interface RestoreInputs {
  readonly request: ResolvedRequest;
  readonly prepared: PreparedInput;
  readonly source: Raster8 | undefined;
  readonly mask: Uint8Array | undefined;
  readonly restored: RestoreState;
  readonly signal: AbortSignal | undefined;
  warn(warning: Warning): void;
}

/**
 * The restore stage: a decoded picture to one of the size asked for, with the source's alpha, and with the source itself outside the
 * mask. Warns when nothing changed.
 */
export async function restorePicture(inputs: RestoreInputs): Promise<Raster8> {
  const { request, prepared, mask, restored, signal } = inputs;
  const { outputSize } = prepared;
  const source = inputs.source && (await resizedSource(inputs.source, outputSize, signal));
  let picture = restored.picture ?? (await sizedPicture(inputs));
  if (source === undefined) return picture;
  if (source.channels === 4 && picture.channels === 3)
    picture = await runInSlices(withAlpha(picture, source), { signal });
  if (mask !== undefined) {
    const sized = await resizedMask(mask, inputs.source as Raster8, outputSize, signal);
    picture = await compositeOutsideMask({ source, edited: picture, mask: sized, signal });
  }
  if (request.task === 'edit' && (await runInSlices(changedShare(picture, source), { signal })) <= CHANGED_SHARE) {
    inputs.warn({
      code: 'unchanged',
      message: `The picture is as it was: "${instructionOf(request, restored.index)}" changed nothing that this model knows`,
    });
  }
  return picture;
}

function instructionOf(request: ResolvedRequest, index: number): string {
  return request.instructions[Math.floor(index / request.numImages)] as string;
}

/** The decoded picture at output size, in the geometry asked for. */
async function sizedPicture({ request, prepared, restored, signal }: RestoreInputs): Promise<Raster8> {
  const { outputSize, bin } = prepared;
  if (request.geometry === 'pipeline') {
    return await tensorToRaster({
      image: await resizeAndCrop({ image: restored.decoded, ...outputSize, signal }),
      signal,
    });
  }
  const whole = await tensorToRaster({ image: restored.decoded, signal });
  const picture = request.geometry === 'reference' ? crop(whole, letterbox({ source: outputSize, bin }).crop) : whole;
  if (picture.width === outputSize.width && picture.height === outputSize.height) return picture;
  const { width, height } = outputSize;
  return {
    ...(await resample({ image: picture, width, height, method: 'pillow-lanczos', signal })),
    channels: picture.channels,
  };
}

function crop(image: Raster8, box: { left: number; top: number; right: number; bottom: number }): Raster8 {
  const width = box.right - box.left;
  const height = box.bottom - box.top;
  const { channels } = image;
  const data = new Uint8Array(width * height * channels);
  for (let y = 0; y < height; y++) {
    const from = ((box.top + y) * image.width + box.left) * channels;
    data.set(image.data.subarray(from, from + width * channels), y * width * channels);
  }
  return { width, height, channels, data };
}

async function resizedSource(source: Raster8, size: Size, signal: AbortSignal | undefined): Promise<Raster8> {
  if (source.width === size.width && source.height === size.height) return source;
  const { width, height } = size;
  return {
    ...(await resample({ image: source, width, height, method: 'pillow-lanczos', signal })),
    channels: source.channels,
  };
}

async function resizedMask(
  mask: Uint8Array,
  source: Size,
  size: Size,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  if (source.width === size.width && source.height === size.height) return mask;
  const image = { width: source.width, height: source.height, channels: 1 as const, data: mask };
  const { width, height } = size;
  return (await resample({ image, width, height, method: 'pillow-bilinear', signal })).data;
}

function* withAlpha(picture: Raster8, source: Raster8): Generator<void, Raster8> {
  const { width, height } = picture;
  const data = new Uint8Array(width * height * 4);
  for (let pixel = 0; pixel < width * height; pixel++) {
    data[pixel * 4] = picture.data[pixel * 3] as number;
    data[pixel * 4 + 1] = picture.data[pixel * 3 + 1] as number;
    data[pixel * 4 + 2] = picture.data[pixel * 3 + 2] as number;
    data[pixel * 4 + 3] = source.data[pixel * 4 + 3] as number;
    if (pixel % STEP === 0) yield;
  }
  return { width, height, channels: 4, data };
}

/** Share of the colour values that differ by `CHANGED_LEVELS` or more. */
function* changedShare(a: Raster8, b: Raster8): Generator<void, number> {
  const pixels = a.width * a.height;
  let changed = 0;
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++) {
      const difference =
        (a.data[pixel * a.channels + channel] as number) - (b.data[pixel * b.channels + channel] as number);
      if (Math.abs(difference) >= CHANGED_LEVELS) changed += 1;
    }
    if (pixel % STEP === 0) yield;
  }
  return changed / (pixels * 3);
}
