import type { ColorChange } from './color-change.js';
import { ERROR_FLOOR, type Pictures } from './content-change.js';
import { nodeSpacing, windowDeviation } from './fit-color-grid.js';
import { cellMeans, smoothCells } from './lattice.js';
import { readRow } from './picture-rows.js';
import type { Planes } from './planes.js';

/** A change of a pixel (of 1) that can be seen, and the share of the pixels that must have it: small bright things on a black ground. */
const VISIBLE_CHANGE = 16 / 255;
const VISIBLE_SHARE = 1 / 1000;

/**
 * Largest change of an edit in units of the autoencoder's own error: with d = b - a, e = a - s and G the window of the fit,
 *
 *     max over the picture of sqrt( G |d|^2 / (G |e|^2 + 0.03^2) )
 *
 * A model that is asked for something it does not know still moves its latents a little; what it then changes is about a third of what
 * the autoencoder changes.
 */
export function* relativeChange({ source, before, after }: Pictures): Generator<void, number> {
  const { width, height } = before;
  const area = width * height;
  const spacing = nodeSpacing(width, 'coarse');
  const cells = yield* cellMeans({
    width,
    height,
    spacing,
    fields: 2,
    add(x, y, sums, offset) {
      for (let channel = 0; channel < 3; channel++) {
        const index = channel * area + y * width + x;
        const a = before.values[index]!;
        // Half of a difference in -1..1 is one in 0..1.
        sums[offset]! += ((after.values[index]! - a) / 2) ** 2 / 3;
        sums[offset + 1]! += ((a - source.values[index]!) / 2) ** 2 / 3;
      }
    },
  });
  const { columns, rows, values } = yield* smoothCells(cells, { deviation: windowDeviation(width), spacing });
  let largest = 0;
  for (let node = 0; node < columns * rows; node++) {
    largest = Math.max(largest, values[node * 2]! / (values[node * 2 + 1]! + ERROR_FLOOR ** 2));
  }
  return Math.sqrt(largest);
}

/**
 * Whether a colour change can be seen in a picture, however little it is beside the autoencoder's error: stars lose their colour, and most
 * of the sky stays black. What a model changes that was asked for nothing is half as much at most.
 */
export function* isVisible(change: ColorChange, source: Planes): Generator<void, boolean> {
  const { width, height } = source;
  const enough = width * height * VISIBLE_SHARE;
  const row = new Float64Array(width * 3);
  const added = new Float64Array(width * 3);
  let seen = 0;
  for (let y = 0; y < height; y++) {
    readRow(source, y, row);
    change.row(y, row, added);
    for (let x = 0; x < width; x++) {
      let moved = 0;
      for (let i = x * 3; i < x * 3 + 3; i++) {
        // What is pushed over black or white is not seen.
        const edited = Math.min(Math.max(row[i]! + added[i]!, 0), 1);
        moved = Math.max(moved, Math.abs(edited - row[i]!));
      }
      if (moved >= VISIBLE_CHANGE) seen++;
    }
    if (seen >= enough) return true;
    yield;
  }
  return false;
}
