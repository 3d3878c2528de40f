import { ERROR_FLOOR, type Pictures } from './content-change.js';
import { nodeSpacing, windowDeviation } from './fit-color-grid.js';
import { cellMeans, smoothCells } from './lattice.js';

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
