import { createBilinearRows } from './bilinear-rows.js';
import type { ColorChange } from './color-change.js';
import { luma } from './color-grid.js';
import type { WorkingPlane } from './working-plane.js';

/** Knots of the curve over luma, and of that over a channel's own value: evenly over 0..1, linear between them. */
export const KNOTS = 25;
/** Weights a channel: the two curves, then red, green and blue. */
export const GRADE_WEIGHTS = 2 * KNOTS + 3;

/**
 * One colour change for a whole picture, as a colourist grades it, through a soft mask. For channel c of colour x at place p:
 *
 *     d_c = share(p) ( f_c(luma x) + g_c(x_c) + m_c . x )
 */
export interface ColorGrade {
  /** [3, GRADE_WEIGHTS]: of each channel the knots of f, those of g, and m. */
  readonly weights: Float32Array;
  /** How much of the change each place takes, from 0 up; undefined: all of it everywhere. */
  readonly share: WorkingPlane | undefined;
}

/** Evaluates a grade on a picture of any size. */
export function createGradeChange(grade: ColorGrade, picture: { width: number; height: number }): ColorChange {
  const { weights } = grade;
  const shareRow = grade.share && createBilinearRows(grade.share, picture);
  const shares = new Float64Array(picture.width).fill(1);
  return {
    row(y, row, change) {
      change.fill(0);
      if (shareRow === undefined || shareRow(y, shares)) addChange(weights, shares, row, change);
    },
  };
}

/** Adds what weights change in a row, of each pixel its share. */
function addChange(weights: Float32Array, shares: Float64Array, row: Float64Array, change: Float64Array): void {
  for (let x = 0; x < shares.length; x++) {
    const pixel = x * 3;
    const red = row[pixel]!;
    const green = row[pixel + 1]!;
    const blue = row[pixel + 2]!;
    const light = axisPosition(luma(red, green, blue), KNOTS);
    const lightKnot = Math.min(Math.floor(light), KNOTS - 2);
    for (let channel = 0; channel < 3; channel++) {
      const start = channel * GRADE_WEIGHTS;
      const own = axisPosition(row[pixel + channel]!, KNOTS);
      const ownKnot = Math.min(Math.floor(own), KNOTS - 2);
      const linear = start + 2 * KNOTS;
      change[pixel + channel]! +=
        shares[x]! *
        (between(weights, start + lightKnot, light - lightKnot) +
          between(weights, start + KNOTS + ownKnot, own - ownKnot) +
          red * weights[linear]! +
          green * weights[linear + 1]! +
          blue * weights[linear + 2]!);
    }
  }
}

/** What a grade changes in a channel of gray tones, at the knots. */
export function grayCurve(weights: ArrayLike<number>, channel: number): Float64Array {
  const start = channel * GRADE_WEIGHTS;
  const [own, linear] = [start + KNOTS, start + 2 * KNOTS];
  const slope = weights[linear]! + weights[linear + 1]! + weights[linear + 2]!;
  return Float64Array.from(
    { length: KNOTS },
    (_, knot) => (slope * knot) / (KNOTS - 1) + weights[start + knot]! + weights[own + knot]!,
  );
}

/** Place of a value on an axis of knots. */
export function axisPosition(value: number, knots: number): number {
  return Math.min(Math.max(value, 0), 1) * (knots - 1);
}

function between(values: Float32Array, index: number, fraction: number): number {
  return values[index]! + fraction * (values[index + 1]! - values[index]!);
}
