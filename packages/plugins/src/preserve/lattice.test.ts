import { describe, expect, it } from 'vitest';
import { cellMeans, type Lattice, smoothCells } from './lattice.js';

/** A picture with an edge, a ramp and some texture. */
function value(x: number, y: number): number {
  return (x > 30 ? 0.6 : 0.1) + 0.005 * y + 0.1 * Math.sin(x * y);
}

function smoothed(size: { width: number; height: number }, deviation: number, spacing: number): Lattice {
  const work = (function* () {
    const cells = yield* cellMeans({
      ...size,
      spacing,
      fields: 2,
      add(x, y, sums, offset) {
        sums[offset]! += 1;
        sums[offset + 1]! += value(x, y);
      },
    });
    return yield* smoothCells(cells, { deviation, spacing });
  })();
  for (;;) {
    const { done, value: result } = work.next();
    if (done) return result;
  }
}

/** The Gaussian as it is defined, at any place. */
function exact(size: { width: number; height: number }, deviation: number, at: { x: number; y: number }): number {
  const reach = Math.trunc(2.5 * deviation + 1);
  const along = (place: number, count: number): Map<number, number> => {
    const weights = new Map<number, number>();
    let sum = 0;
    for (let pixel = Math.ceil(place - reach); pixel <= place + reach; pixel++) {
      const weight = Math.exp(-((pixel - place) ** 2) / (2 * deviation ** 2));
      const inside = Math.min(Math.max(pixel, 0), count - 1);
      weights.set(inside, (weights.get(inside) ?? 0) + weight);
      sum += weight;
    }
    return new Map([...weights].map(([pixel, weight]) => [pixel, weight / sum]));
  };
  let total = 0;
  for (const [x, across] of along(at.x, size.width)) {
    for (const [y, down] of along(at.y, size.height)) total += across * down * value(x, y);
  }
  return total;
}

describe('fields on a lattice', () => {
  const size = { width: 61, height: 43 };

  it('are smoothed exactly with a node a pixel', () => {
    const { columns, rows, values } = smoothed(size, 4, 1);
    expect([columns, rows]).toEqual([size.width + 2, size.height + 2]);
    for (const [x, y] of [
      [0, 0],
      [60, 42],
      [30, 20],
      [31, 0],
      [5, 41],
    ] as const) {
      const node = (y + 1) * columns + x + 1;
      expect(values[node * 2]).toBeCloseTo(1, 12);
      expect(values[node * 2 + 1]).toBeCloseTo(exact(size, 4, { x, y }), 12);
    }
  });

  it.each([2, 3, 4])(
    'are smoothed closely with a node every %i pixels, where cells do not fit the picture too',
    (spacing) => {
      const deviation = 6 * spacing;
      const { columns, rows, values } = smoothed(size, deviation, spacing);
      const place = (node: number): number => (node - 1) * spacing + (spacing - 1) / 2;
      let furthest = 0;
      // Every node of some columns, the outermost ones among them.
      for (const column of [0, 1, Math.round(30 / spacing), columns - 2, columns - 1]) {
        for (let row = 0; row < rows; row++) {
          const node = row * columns + column;
          const expected = exact(size, deviation, { x: place(column), y: place(row) });
          furthest = Math.max(furthest, Math.abs(values[node * 2 + 1]! - expected), Math.abs(values[node * 2]! - 1));
        }
      }
      // Of an edge of 0.5.
      expect(furthest).toBeLessThan(0.004);
    },
  );
});
