import { createBilinearRows } from './bilinear-rows.js';
import type { ColorChange } from './color-change.js';
import { luma } from './color-grid.js';
import type { WorkingPlane } from './working-plane.js';

/** Knots of the curve over luma, and of that over a channel's own value: evenly over 0..1, linear between them. */
export const KNOTS = 25;
/** Weights a channel: the two curves, then red, green and blue. */
export const GRADE_WEIGHTS = 2 * KNOTS + 3;

/**
 * One colour change for a whole picture, as a colourist grades it, through a soft mask; or one for all of it besides, without the mask.
 * For channel c of colour x at place p:
 *
 *     d_c = share(p) ( f_c(luma x) + g_c(x_c) + m_c . x )  +  the same of the other change, with weights of its own and a share of 1
 */
export interface ColorGrade {
  /** [3, GRADE_WEIGHTS]: of each channel the knots of f, those of g, and m. */
  readonly weights: Float32Array;
  /** How much of the change each place takes, from 0 up; undefined: all of it everywhere. */
  readonly share: WorkingPlane | undefined;
  /** The weights of the change that all places take besides. */
  readonly everywhere?: Float32Array;
}

/** Evaluates a grade on a picture of any size. */
export function createGradeChange(grade: ColorGrade, picture: { width: number; height: number }): ColorChange {
  const { weights, everywhere } = grade;
  const { width } = picture;
  const shareRow = grade.share && createBilinearRows(grade.share, picture);
  const shares = new Float64Array(width).fill(1);
  return {
    row(y, row, change) {
      if (shareRow !== undefined && !shareRow(y, shares)) shares.fill(0);
      for (let x = 0; x < width; x++) {
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
          const changeOf = (of: Float32Array): number =>
            between(of, start + lightKnot, light - lightKnot) +
            between(of, start + KNOTS + ownKnot, own - ownKnot) +
            red * of[linear]! +
            green * of[linear + 1]! +
            blue * of[linear + 2]!;
          change[pixel + channel] =
            shares[x]! * changeOf(weights) + (everywhere === undefined ? 0 : changeOf(everywhere));
        }
      }
    },
  };
}

/** Place of a value on an axis of knots. */
export function axisPosition(value: number, knots: number): number {
  return Math.min(Math.max(value, 0), 1) * (knots - 1);
}

function between(values: Float32Array, index: number, fraction: number): number {
  return values[index]! + fraction * (values[index + 1]! - values[index]!);
}
