import type { ResampleWeights } from '@vibe-edit/core/runtime';
import type { Planes } from './planes.js';

/** Resamples rows of a working picture to the width and to one row after the other of a larger (or smaller) one. */
export interface RowResampler {
  /**
   * @param y output row
   * @param from first pixel wanted, `to` the one after the last
   * @param row takes interleaved RGB, 0..1 where the picture is in range; only pixels `from` to `to` are written
   */
  row(y: number, from: number, to: number, row: Float64Array): void;
}

/**
 * @param weights.across one entry an output column
 * @param weights.down one entry an output row
 */
export function createRowResampler(
  picture: Planes,
  weights: { across: ResampleWeights; down: ResampleWeights },
): RowResampler {
  const { across, down } = weights;
  const { width, height, values } = picture;
  const outputWidth = across.starts.length;
  // Rows of the picture scaled to the output's width, kept while output rows need them.
  const scaled = new Map<number, Float64Array>();
  const scaledRow = (y: number): Float64Array => {
    const known = scaled.get(y);
    if (known !== undefined) return known;
    const row = new Float64Array(outputWidth * 3);
    const unit = 2 ** -across.precision;
    for (let channel = 0; channel < 3; channel++) {
      const start = (channel * height + y) * width;
      for (let x = 0; x < outputWidth; x++) {
        let sum = 0;
        for (let k = 0; k < across.counts[x]!; k++) {
          sum += across.weights[x * across.stride + k]! * values[start + across.starts[x]! + k]!;
        }
        row[x * 3 + channel] = sum * unit * 0.5 + 0.5;
      }
    }
    scaled.set(y, row);
    return row;
  };
  return {
    row(y, from, to, row) {
      const first = down.starts[y]!;
      for (const kept of scaled.keys()) if (kept < first) scaled.delete(kept);
      row.fill(0, from * 3, to * 3);
      for (let k = 0; k < down.counts[y]!; k++) {
        const weight = down.weights[y * down.stride + k]! * 2 ** -down.precision;
        const input = scaledRow(first + k);
        for (let i = from * 3; i < to * 3; i++) row[i]! += weight * input[i]!;
      }
    },
  };
}
