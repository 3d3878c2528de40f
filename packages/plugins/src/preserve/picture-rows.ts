import type { Planes } from './planes.js';

/** Row y of a working picture as interleaved RGB, 0..1 where the picture is in range. */
export function readRow({ width, height, values }: Planes, y: number, row: Float64Array): void {
  const area = width * height;
  const start = y * width;
  for (let x = 0; x < width; x++) {
    row[x * 3] = values[start + x]! * 0.5 + 0.5;
    row[x * 3 + 1] = values[area + start + x]! * 0.5 + 0.5;
    row[x * 3 + 2] = values[2 * area + start + x]! * 0.5 + 0.5;
  }
}
