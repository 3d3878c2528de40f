import type { WorkingPlane } from './working-plane.js';

/** Gives rows of a plane stretched over a picture, bilinear between pixel centres; says whether there is anything but zeros in them. */
export function createBilinearRows(
  plane: WorkingPlane,
  output: { width: number; height: number },
): (y: number, row: Float64Array) => boolean {
  const columns = Array.from({ length: output.width }, (_, x) => neighbours(x, output.width, plane.width));
  const firsts = Int32Array.from(columns, ({ first }) => first);
  const seconds = Int32Array.from(columns, ({ second }) => second);
  const fractions = Float64Array.from(columns, ({ fraction }) => fraction);
  const line = new Float64Array(plane.width);
  return (y, row) => {
    const { first, second, fraction } = neighbours(y, output.height, plane.height);
    let any = false;
    for (let x = 0; x < plane.width; x++) {
      const above = plane.values[first * plane.width + x]!;
      line[x] = above + (plane.values[second * plane.width + x]! - above) * fraction;
      any ||= line[x]! > 0;
    }
    if (any) {
      for (let x = 0; x < row.length; x++) {
        const left = line[firsts[x]!]!;
        row[x] = left + (line[seconds[x]!]! - left) * fractions[x]!;
      }
    }
    return any;
  };
}

/** The two pixels of an axis of `size` that pixel `index` of `count` lies between. */
function neighbours(index: number, count: number, size: number): { first: number; second: number; fraction: number } {
  const position = Math.min(Math.max(((index + 0.5) * size) / count - 0.5, 0), size - 1);
  const first = Math.floor(position);
  return { first, second: Math.min(first + 1, size - 1), fraction: position - first };
}
