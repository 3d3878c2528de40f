import { AFFINE, type ColorGrid, LUMA_BINS, luma, NODE, nodePosition } from './color-grid.js';

/** Gives the colour change of the pixels of a picture, row after row. */
export interface ColorChange {
  /**
   * @param y row of the picture
   * @param row interleaved RGB of that row, 0..1
   * @param change takes what is to be added, interleaved, in the same unit
   */
  row(y: number, row: Float64Array, change: Float64Array): void;
}

/**
 * Evaluates a grid on a picture of any size stretched over it: coefficients bilinearly between nodes, then linearly between
 * the two bins next to the pixel's own luma (the weights max(0, 1 - |5 L - k|), which sum to 1).
 *
 * Along a row, pixels between the same two nodes and in the same two bins share the four affine changes they are mixed from:
 *
 *     upper bin   b ------- d       c(f, t) = a + f (c - a) + t (b - a) + f t (d - c - b + a)
 *                 |    x    |       f: 0..1 from the left node to the right one
 *     lower bin   a ------- c       t: 0..1 from the lower bin to the upper one
 */
export function createColorChange(grid: ColorGrid, picture: { width: number; height: number }): ColorChange {
  const { columns, spacing, firstRow, coefficients } = grid;
  const { width, height } = picture;
  const starts = new Int32Array(width);
  const fractions = new Float64Array(width);
  for (let x = 0; x < width; x++) {
    const { node, fraction } = nodePosition(x, width, { size: grid.width, spacing, nodes: columns });
    starts[x] = node * NODE;
    fractions[x] = fraction;
  }
  const rowLength = columns * NODE;
  const nodes = new Float64Array(rowLength);
  const bins = new Uint8Array(width);
  const shares = new Float64Array(width);
  return {
    row(y, row, change) {
      const { node, fraction } = nodePosition(y, height, { size: grid.height, spacing, nodes: grid.rows });
      const upper = (node - firstRow) * rowLength;
      for (let i = 0; i < rowLength; i++) {
        const above = coefficients[upper + i]!;
        nodes[i] = above + (coefficients[upper + rowLength + i]! - above) * fraction;
      }
      for (let x = 0; x < width; x++) {
        const level = 5 * luma(row[x * 3]!, row[x * 3 + 1]!, row[x * 3 + 2]!);
        const position = Math.min(Math.max(level, 0), LUMA_BINS - 1);
        bins[x] = Math.min(Math.floor(position), LUMA_BINS - 2);
        shares[x] = position - bins[x]!;
      }
      let from = 0;
      while (from < width) {
        const start = starts[from]!;
        const bin = bins[from]!;
        let to = from + 1;
        while (to < width && starts[to] === start && bins[to] === bin) to++;
        const corner = start + bin * AFFINE;
        for (let channel = 0; channel < 3; channel++) {
          changeRun({ nodes, corner: corner + channel, fractions, shares, row, change, channel, from, to });
        }
        from = to;
      }
    },
  };
}

/** Pixels `from` to `to` (exclusive) of a row that lie between the same nodes and bins, one channel of their change. */
interface Run {
  readonly nodes: Float64Array;
  /** Where the channel's part of the lower bin at the left node starts. */
  readonly corner: number;
  readonly fractions: Float64Array;
  readonly shares: Float64Array;
  readonly row: Float64Array;
  readonly change: Float64Array;
  readonly channel: number;
  readonly from: number;
  readonly to: number;
}

function changeRun({ nodes, corner: a, fractions, shares, row, change, channel, from, to }: Run): void {
  const b = a + AFFINE;
  const c = a + NODE;
  const d = b + NODE;
  // Red, green, blue, offset (3 numbers apart): constant, per fraction, per share, per product of both.
  const red = nodes[a]!;
  const redF = nodes[c]! - red;
  const redT = nodes[b]! - red;
  const redFT = nodes[d]! - nodes[c]! - redT;
  const green = nodes[a + 3]!;
  const greenF = nodes[c + 3]! - green;
  const greenT = nodes[b + 3]! - green;
  const greenFT = nodes[d + 3]! - nodes[c + 3]! - greenT;
  const blue = nodes[a + 6]!;
  const blueF = nodes[c + 6]! - blue;
  const blueT = nodes[b + 6]! - blue;
  const blueFT = nodes[d + 6]! - nodes[c + 6]! - blueT;
  const offset = nodes[a + 9]!;
  const offsetF = nodes[c + 9]! - offset;
  const offsetT = nodes[b + 9]! - offset;
  const offsetFT = nodes[d + 9]! - nodes[c + 9]! - offsetT;
  for (let x = from; x < to; x++) {
    const f = fractions[x]!;
    const t = shares[x]!;
    const ft = f * t;
    const pixel = x * 3;
    change[pixel + channel] =
      row[pixel]! * (red + f * redF + t * redT + ft * redFT) +
      row[pixel + 1]! * (green + f * greenF + t * greenT + ft * greenFT) +
      row[pixel + 2]! * (blue + f * blueF + t * blueT + ft * blueFT) +
      (offset + f * offsetF + t * offsetT + ft * offsetFT);
  }
}
