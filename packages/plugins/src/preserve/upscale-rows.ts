import type { Planes } from './planes.js';

/** Gives rows of a working picture at another size, usually a larger one. */
export interface RowResampler {
  /**
   * @param y output row; rows are asked for from top to bottom
   * @param from first pixel wanted, `to` the one after the last
   * @param row takes interleaved RGB, 0..1 where the picture is in range; only pixels `from` to `to` are written
   */
  row(y: number, from: number, to: number, row: Float64Array): void;
}

/** Lanczos resampling with three lobes, antialiased where the output is smaller; rows and columns apart. */
export function createRowResampler(picture: Planes, output: { width: number; height: number }): RowResampler {
  const { width, height, values } = picture;
  const across = Array.from({ length: output.width }, (_, x) => lanczosTaps(x, output.width, width));
  // Rows of the picture at the output's width, kept while output rows need them.
  const scaled = new Map<number, Float64Array>();
  const scaledRow = (y: number): Float64Array => {
    const known = scaled.get(y);
    if (known !== undefined) return known;
    const row = new Float64Array(output.width * 3);
    for (let channel = 0; channel < 3; channel++) {
      const start = (channel * height + y) * width;
      for (let x = 0; x < output.width; x++) {
        const { first, weights } = across[x]!;
        let sum = 0;
        for (let k = 0; k < weights.length; k++) sum += weights[k]! * values[start + first + k]!;
        row[x * 3 + channel] = sum * 0.5 + 0.5;
      }
    }
    scaled.set(y, row);
    return row;
  };
  return {
    row(y, from, to, row) {
      const { first, weights } = lanczosTaps(y, output.height, height);
      for (const kept of scaled.keys()) if (kept < first) scaled.delete(kept);
      row.fill(0, from * 3, to * 3);
      for (let k = 0; k < weights.length; k++) {
        const weight = weights[k]!;
        const input = scaledRow(first + k);
        for (let i = from * 3; i < to * 3; i++) row[i]! += weight * input[i]!;
      }
    },
  };
}

/** The pixels of a line of `size` that pixel `index` of `count` is made of: the first one, and the weights from there on. */
function lanczosTaps(index: number, count: number, size: number): { first: number; weights: Float64Array } {
  const scale = size / count;
  const stretch = Math.max(scale, 1);
  const centre = (index + 0.5) * scale - 0.5;
  const first = Math.max(Math.ceil(centre - LOBES * stretch), 0);
  const last = Math.min(Math.floor(centre + LOBES * stretch), size - 1);
  const weights = new Float64Array(last - first + 1);
  let sum = 0;
  for (let k = 0; k < weights.length; k++) {
    weights[k] = lanczos((first + k - centre) / stretch);
    sum += weights[k]!;
  }
  return { first, weights: weights.map((weight) => weight / sum) };
}

const LOBES = 3;

function lanczos(x: number): number {
  if (x === 0) return 1;
  if (Math.abs(x) >= LOBES) return 0;
  const angle = Math.PI * x;
  return (LOBES * Math.sin(angle) * Math.sin(angle / LOBES)) / angle ** 2;
}
