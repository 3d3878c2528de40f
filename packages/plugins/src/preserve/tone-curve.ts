import { createBilinearRows } from './bilinear-rows.js';
import type { ColorChange } from './color-change.js';
import { luma } from './color-grid.js';

/** Knots of a curve, evenly over its guide; linear between them. */
export const KNOTS = 33;
/** Detail is luma over that of the surroundings; this is where its axis ends. */
const LARGEST_RATIO = 1.25;
/** Keeps the ratio finite in black. */
const DARKEST_SURROUND = 0.02;

/** What of a pixel decides its new colour: how light it is, or how light it is against its surroundings. */
export type ToneGuide = 'luma' | 'detail';

/** One value a pixel, 0..1, at working size. */
export interface Surround {
  readonly width: number;
  readonly height: number;
  readonly values: Float32Array;
}

/** New colours by a guide, the same all over the picture: what two-tone and line effects do, and no change that is affine in colour can. */
export interface ToneCurve {
  readonly guide: ToneGuide;
  /** [KNOTS, 3], RGB 0..1. */
  readonly knots: Float32Array;
  /** Blurred luma of the source, stretched over the picture; it serves the guide `detail`. */
  readonly surround: Surround;
}

/** Place of a pixel on the curve, 0..KNOTS - 1. */
export function knotPosition(guide: ToneGuide, light: number, surround: number): number {
  const value = guide === 'luma' ? light : light / (surround + DARKEST_SURROUND) / LARGEST_RATIO;
  return Math.min(Math.max(value, 0), 1) * (KNOTS - 1);
}

/** Evaluates a curve on a picture of any size. */
export function createCurveChange(curve: ToneCurve, picture: { width: number; height: number }): ColorChange {
  const { guide, knots } = curve;
  const surroundRow = createBilinearRows(curve.surround, picture);
  const surround = new Float64Array(picture.width);
  return {
    row(y, row, change) {
      if (guide === 'detail' && !surroundRow(y, surround)) surround.fill(0);
      for (let x = 0; x < picture.width; x++) {
        const pixel = x * 3;
        const light = luma(row[pixel]!, row[pixel + 1]!, row[pixel + 2]!);
        const position = knotPosition(guide, light, surround[x]!);
        const knot = Math.min(Math.floor(position), KNOTS - 2);
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
