import { describe, expect, it } from 'vitest';
import { createColorChange } from './color-change.js';
import { type ColorGrid, cutGrid } from './color-grid.js';
import { fitColorGrid } from './fit-color-grid.js';
import type { Planes } from './planes.js';

const WIDTH = 144;
const HEIGHT = 30;

function planes(color: (x: number, y: number, channel: number) => number): Planes {
  const area = WIDTH * HEIGHT;
  const values = Float32Array.from({ length: 3 * area }, (_, i) => {
    const pixel = i % area;
    return color(pixel % WIDTH, Math.floor(pixel / WIDTH), Math.floor(i / area)) * 2 - 1;
  });
  return { width: WIDTH, height: HEIGHT, values };
}

function fitted(after: Planes, spacing?: number): ColorGrid {
  const work = fitColorGrid({ before, after, spacing });
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

const texture = (x: number, y: number, channel: number): number =>
  0.5 + 0.3 * Math.sin(0.11 * x + 0.07 * y + channel) + 0.15 * Math.sin(1.3 * x * (channel + 1) + 0.9 * y);
const before = planes(texture);

/** The change of a row of a picture 300 pixels wide and 66 high, in levels. */
function changeOf(grid: ColorGrid, y: number): Float64Array {
  const row = Float64Array.from({ length: 900 }, (_, i) => {
    const value = texture((Math.floor(i / 3) * WIDTH) / 300, (y * HEIGHT) / 66, i % 3);
    return Math.min(Math.max(value, 0), 1);
  });
  const change = new Float64Array(900);
  createColorChange(grid, { width: 300, height: 66 }).row(y, row, change);
  return change.map((value) => value * 255);
}

describe('the colour grid', () => {
  it('changes nothing where nothing changed', () => {
    const { coefficients } = fitted(before);
    expect(coefficients.every((value) => value === 0)).toBe(true);
  });

  it('is on a coarse lattice what it is on every pixel, to a part of a level', () => {
    // Darker to one side, warmer to the other.
    const after = planes((x, y, channel) => {
      const value = Math.max(texture(x, y, channel), 0);
      return value ** (1 + x / WIDTH) * (1 + (channel - 1) * 0.2 * (y / HEIGHT));
    });
    const exact = fitted(after, 1);
    const coarse = fitted(after);
    expect(coarse.spacing).toBe(2);
    expect(coarse.coefficients.length).toBeLessThan(exact.coefficients.length / 3);
    for (const y of [0, 19, 65]) {
      const expected = changeOf(exact, y);
      const furthest = changeOf(coarse, y).reduce(
        (most, value, i) => Math.max(most, Math.abs(value - expected[i]!)),
        0,
      );
      expect(furthest).toBeLessThan(0.3);
    }
  });

  it('can be cut to the rows of a strip', () => {
    const grid = fitted(planes((x, y, channel) => texture(x, y, channel) * (0.5 + y / HEIGHT)));
    const cut = cutGrid(grid, 16, 26, 66);
    expect(cut.coefficients.length).toBeLessThan(grid.coefficients.length / 2);
    for (const y of [16, 22, 25]) expect(changeOf(cut, y)).toEqual(changeOf(grid, y));
  });
});
