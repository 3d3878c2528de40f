import { boxBlur, boxGain, dilate, type Plane } from './box-blur.js';
import { type ColorChange, createColorChange } from './color-change.js';
import { fitColorGrid, nodeSpacing } from './fit-color-grid.js';
import { readRow } from './picture-rows.js';
import type { Planes } from './planes.js';
import { findRegions } from './regions.js';
import type { WorkingPlane } from './working-plane.js';

/** Errors under this (of 1) are nobody's: it keeps flat areas, which the autoencoder renders perfectly, from counting as changed. */
export const ERROR_FLOOR = 0.03;
/** A region ends where the misfit falls under this share of the threshold. */
const LOW_SHARE = 0.5;
/** Regions smaller than this share of the picture are noise. */
const LEAST_AREA = 1 / 2000;
/** Lengths as shares of sqrt(width * height): how far errors are averaged, and how far the mask reaches beyond a region. */
const SMOOTHING = 1 / 128;
const MARGIN = 1 / 64;
/** Times the transform is fitted again without what looked changed... */
const REFITS = 3;
/** ...unless the regions changed by less than this share of their area. */
const SETTLED = 0.02;

export interface Pictures {
  /** The source at working size. */
  readonly source: Planes;
  /** The source through the autoencoder. */
  readonly before: Planes;
  /** The edit, decoded. */
  readonly after: Planes;
}

/**
 * Tells new content from a new tone.
 *
 * With s the source, a the source through the autoencoder, b the edit, T the fitted colour change and B a blur over a 128th of the
 * picture's side:
 *
 *     misfit(x) = sqrt( B |b - T(a)|^2 / (B |T(a) - T(s)|^2 + 0.03^2) )          means over the channels
 *
 * The numerator is what no local colour change explains; the denominator is what the autoencoder gets wrong at that place anyhow, as the
 * edit would show it. Where content stayed, both come from the same source of error and the misfit is about 0.2 to 2; a new object
 * gives 4 to 20.
 *
 *     misfit      _____
 *     threshold --/---\---------------     a region must reach the threshold somewhere,
 *                /     \    _              ends where the misfit is half of it,
 *     half     -/-------\--/-\--------     has no holes,
 *     ________ /         \/   \_______     and is larger than a 2000th of the picture
 *
 *     mask    __/-------\_____________     1 in the region; falls to exactly 0 round it
 *
 * A new object also spoils the fit round it. So the fit is made again without the regions, which are then found anew, three times at most.
 */
export function* findNewContent(
  pictures: Pictures,
  threshold: number,
): Generator<void, { mask: WorkingPlane; unchanged: Plane } | undefined> {
  const { width, height } = pictures.before;
  const margin = Math.max(1, Math.round(Math.sqrt(width * height) * MARGIN));
  const spacing = nodeSpacing(width, 'coarse');
  let kept: Plane | undefined;
  let lastArea = 0;
  for (let fit = 0; ; fit++) {
    const grid = yield* fitColorGrid({ ...pictures, weight: kept?.values, spacing });
    const regions = yield* newRegions(pictures, createColorChange(grid, pictures.before), threshold);
    if (regions === undefined) return undefined;
    const { values } = yield* dilate(regions, margin);
    kept = { width, height, values: values.map((inside) => 1 - inside) };
    const area = regions.values.reduce((sum, inside) => sum + inside, 0);
    const settled = Math.abs(area - lastArea) <= SETTLED * area;
    lastArea = area;
    if (fit === REFITS || settled) return { mask: yield* softMask(regions, margin), unchanged: kept };
  }
}

/** Whether a colour change leaves regions unexplained, by the same measure. */
export function* hasNewContent(pictures: Pictures, change: ColorChange, threshold: number): Generator<void, boolean> {
  return (yield* newRegions(pictures, change, threshold)) !== undefined;
}

function* newRegions(pictures: Pictures, change: ColorChange, threshold: number): Generator<void, Plane | undefined> {
  const { width, height } = pictures.before;
  const blur = Math.max(1, Math.round(Math.sqrt(width * height) * SMOOTHING));
  const limits = { low: threshold * LOW_SHARE, high: threshold, leastPixels: width * height * LEAST_AREA };
  return yield* findRegions(yield* misfit(pictures, change, blur), limits);
}

/** How badly a colour change explains the edit, in units of the autoencoder's error; `blur` is a radius in pixels. */
function* misfit({ source, before, after }: Pictures, colorChange: ColorChange, blur: number): Generator<void, Plane> {
  const { width, height } = before;
  const rows = Array.from({ length: 5 }, () => new Float64Array(width * 3));
  const [s, a, b, changeOfS, changeOfA] = rows as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const unexplained = new Float64Array(width * height);
  const expected = new Float64Array(width * height);
  for (let y = 0; y < height; y++) {
    readRow(source, y, s);
    readRow(before, y, a);
    readRow(after, y, b);
    colorChange.row(y, s, changeOfS);
    colorChange.row(y, a, changeOfA);
    for (let i = 0; i < width * 3; i++) {
      const toned = a[i]! + changeOfA[i]!;
      const pixel = y * width + Math.floor(i / 3);
      unexplained[pixel]! += (b[i]! - toned) ** 2 / 3;
      expected[pixel]! += (toned - s[i]! - changeOfS[i]!) ** 2 / 3;
    }
    yield;
  }
  const above = yield* boxBlur({ width, height, values: unexplained }, blur);
  const below = yield* boxBlur({ width, height, values: expected }, blur);
  const floor = ERROR_FLOOR ** 2 * boxGain(blur);
  const values = above.values.map((sum, pixel) =>
    Math.sqrt(Math.max(sum, 0) / (Math.max(below.values[pixel]!, 0) + floor)),
  );
  return { width, height, values };
}

function* softMask(regions: Plane, margin: number): Generator<void, WorkingPlane> {
  const radius = Math.max(1, Math.round(margin / 2));
  const blurred = yield* boxBlur(yield* dilate(regions, margin), radius);
  const gain = boxGain(radius);
  return { ...blurred, values: Float32Array.from(blurred.values, (sum) => sum / gain) };
}
