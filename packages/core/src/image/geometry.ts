import { InvalidImageError } from '../errors/invalid-image-error.js';
import type { Size } from '../plugin/plugin.js';

/** A rectangle of pixels; `right` and `bottom` lie just outside. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The longer side may be at most so many times the shorter one. */
const LARGEST_RATIO = 200;

/** Rounds as Python's and NumPy's `round` do: halves go to the even neighbour. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Refuses a picture that no vision tower sees: for who takes pictures in and would tell at once, from the header alone.
 * @throws {InvalidImageError} one side is over 200 times the other
 */
export function checkSideRatio({ width, height }: Size): void {
  if (Math.max(width, height) / Math.min(width, height) <= LARGEST_RATIO) return;
  throw new InvalidImageError({
    expected: `a picture with sides of at most 1:${LARGEST_RATIO}`,
    received: `${width} x ${height} pixels`,
  });
}

/**
 * The size at which the vision tower sees a picture: both sides multiples of `factor`, the area from `minPixels` to `maxPixels`, the
 * ratio as near as that allows (`smart_resize` of the Qwen2-VL image processor).
 *
 * @param options.factor patch size times merge size, in pixels
 * @throws {InvalidImageError} one side is over 200 times the other
 */
export function smartResize(options: Size & { factor: number; minPixels: number; maxPixels: number }): Size {
  const { width, height, factor, minPixels, maxPixels } = options;
  checkSideRatio(options);
  const nearest = (side: number) => roundHalfToEven(side / factor) * factor;
  const area = nearest(height) * nearest(width);
  if (area > maxPixels) {
    const shrink = Math.sqrt((height * width) / maxPixels);
    const within = (side: number) => Math.max(factor, Math.floor(side / shrink / factor) * factor);
    return { width: within(width), height: within(height) };
  }
  if (area < minPixels) {
    const grow = Math.sqrt(minPixels / (height * width));
    const beyond = (side: number) => Math.ceil((side * grow) / factor) * factor;
    return { width: beyond(width), height: beyond(height) };
  }
  return { width: nearest(width), height: nearest(height) };
}

/**
 * Where the authors' editor believes a picture to lie in its bin: fitted inside with its ratio kept, the rest padding, half on each
 * side. The editor crops results to this box although it stretches the picture over the whole bin, which zooms by the padding: for
 * `reference` geometry only.
 *
 * @returns `resized`, the fitted size, and `crop`, its place in the bin
 */
export function letterbox(options: { source: Size; bin: Size }): { resized: Size; crop: Box } {
  const { source, bin } = options;
  const fillsHeight = bin.height / source.height < bin.width / source.width;
  const resized = fillsHeight
    ? { width: Math.trunc((source.width * bin.height) / source.height), height: bin.height }
    : { width: bin.width, height: Math.trunc((source.height * bin.width) / source.width) };
  const left = Math.floor((bin.width - resized.width) / 2);
  const top = Math.floor((bin.height - resized.height) / 2);
  return { resized, crop: { left, top, right: left + resized.width, bottom: top + resized.height } };
}

/**
 * How the authors' pipeline brings a decoded picture back to a target size: enlarged or shrunk with its ratio kept until it covers the
 * target, then cropped in the middle (diffusers' `resize_and_crop_tensor`).
 *
 * The numbers are the reference's own. Its scaled sides are cut, not rounded, so that one may come out a pixel short of the target; the
 * crop then begins at -1. `resizeAndCrop` makes up for that, the reference does not: it cuts all but one row or column off.
 */
export function coverAndCrop(options: { source: Size; target: Size }): { resized: Size; left: number; top: number } {
  const { source, target } = options;
  const ratio = Math.max(target.height / source.height, target.width / source.width);
  const resized = { width: Math.trunc(source.width * ratio), height: Math.trunc(source.height * ratio) };
  return {
    resized,
    left: Math.floor((resized.width - target.width) / 2),
    top: Math.floor((resized.height - target.height) / 2),
  };
}
