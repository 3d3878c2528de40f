import { createBilinearRows } from './bilinear-rows.js';
import type { ColorChange } from './color-change.js';
import { luma } from './color-grid.js';
import type { WorkingPlane } from './working-plane.js';

/** Knots of the curve, evenly over the detail; linear between them. */
export const DETAIL_KNOTS = 25;
/** Detail is luma over that of the surroundings; this is where its axis ends. */
const LARGEST_RATIO = 1.25;
/** Keeps the ratio finite in black. */
const DARKEST_SURROUND = 0.02;

/** New colours by how light a pixel is against its surroundings: what line effects do, and no change of colours alone can. */
export interface DetailCurve {
  /** [DETAIL_KNOTS, 3], RGB 0..1. */
  readonly knots: Float32Array;
  /** Blurred luma of the source, 0..1. */
  readonly surround: WorkingPlane;
}

/** Place of a pixel on the curve, 0..DETAIL_KNOTS - 1. */
export function detailPosition(light: number, surround: number): number {
  const value = light / (surround + DARKEST_SURROUND) / LARGEST_RATIO;
  return Math.min(Math.max(value, 0), 1) * (DETAIL_KNOTS - 1);
}

/** Evaluates a curve on a picture of any size. */
export function createDetailChange(curve: DetailCurve, picture: { width: number; height: number }): ColorChange {
  const { knots } = curve;
  const surroundRow = createBilinearRows(curve.surround, picture);
  const surround = new Float64Array(picture.width);
  return {
    row(y, row, change) {
      if (!surroundRow(y, surround)) surround.fill(0);
      for (let x = 0; x < picture.width; x++) {
        const pixel = x * 3;
        const light = luma(row[pixel]!, row[pixel + 1]!, row[pixel + 2]!);
        const position = detailPosition(light, surround[x]!);
        const knot = Math.min(Math.floor(position), DETAIL_KNOTS - 2);
        const share = position - knot;
        for (let channel = 0; channel < 3; channel++) {
          const lower = knots[knot * 3 + channel]!;
          const upper = knots[knot * 3 + 3 + channel]!;
          change[pixel + channel] = lower + share * (upper - lower) - row[pixel + channel]!;
        }
      }
    },
  };
}
