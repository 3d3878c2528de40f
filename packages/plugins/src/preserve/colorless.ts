import type { ColorChange } from './color-change.js';
import { luma } from './color-grid.js';
import { readRow } from './picture-rows.js';
import type { Planes } from './planes.js';

/** Of a picture's colour, an edit to black and white leaves less than this share; the strongest of those that mute it leave a tenth. */
const LARGEST_SHARE = 0.07;
/** What it leaves is less than this share of the result's own light; a tone that comes in the place of colours is a tenth and more. */
const LARGEST_CAST = 0.05;
/** Root mean square of the colours that a picture must have, 0..1: none can be taken off a gray one. */
const LEAST_COLOR = 0.01;

/**
 * Whether a colour change makes a picture black and white: next to nothing is left of its colours, and no other comes in their place. What is
 * left then is the error of model and autoencoder. With q and k the colours of source and result, each less the mean of its channels, and r
 * the result:
 *
 *     |q . k| < 0.07 q . q,    |k| < 0.05 |r|
 */
export function* takesColorOff(change: ColorChange, source: Planes): Generator<void, boolean> {
  const { width, height } = source;
  const row = new Float64Array(width * 3);
  const added = new Float64Array(width * 3);
  let [before, kept, left, light] = [0, 0, 0, 0];
  for (let y = 0; y < height; y++) {
    readRow(source, y, row);
    change.row(y, row, added);
    for (let i = 0; i < row.length; i += 3) {
      const mean = (row[i]! + row[i + 1]! + row[i + 2]!) / 3;
      for (let j = i; j < i + 3; j++) added[j] = Math.min(Math.max(row[j]! + added[j]!, 0), 1);
      const newMean = (added[i]! + added[i + 1]! + added[i + 2]!) / 3;
      for (let j = i; j < i + 3; j++) {
        const color = row[j]! - mean;
        const newColor = added[j]! - newMean;
        before += color * color;
        kept += color * newColor;
        left += newColor * newColor;
        light += added[j]! ** 2;
      }
    }
    yield;
  }
  const hasColor = before >= LEAST_COLOR ** 2 * 3 * width * height;
  return hasColor && Math.abs(kept) < LARGEST_SHARE * before && left < LARGEST_CAST ** 2 * light;
}

/** Lets a row's change lead to the luma of what it led to. */
export function toGray(row: Float64Array, change: Float64Array): void {
  for (let i = 0; i < row.length; i += 3) {
    for (let j = i; j < i + 3; j++) change[j] = Math.min(Math.max(row[j]! + change[j]!, 0), 1);
    const gray = luma(change[i]!, change[i + 1]!, change[i + 2]!);
    for (let j = i; j < i + 3; j++) change[j] = gray - row[j]!;
  }
}
