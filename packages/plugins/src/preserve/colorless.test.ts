import { describe, expect, it } from 'vitest';
import type { ColorChange } from './color-change.js';
import { takesColorOff, toGray } from './colorless.js';
import type { Planes } from './planes.js';

const WIDTH = 40;
const HEIGHT = 30;

function planes(color: (x: number, y: number, channel: number) => number): Planes {
  const area = WIDTH * HEIGHT;
  const values = Float32Array.from({ length: 3 * area }, (_, i) => {
    const pixel = i % area;
    return color(pixel % WIDTH, Math.floor(pixel / WIDTH), Math.floor(i / area)) * 2 - 1;
  });
  return { width: WIDTH, height: HEIGHT, values };
}

const colorful = planes((x, y, channel) => 0.5 + 0.2 * Math.sin(x / 3 + 2 * channel) + 0.1 * Math.sin(y / 4));

/** Leaves a share of the colours, and adds to the channels. */
function muted(share: number, cast: readonly [number, number, number]): ColorChange {
  return {
    row(_, row, change) {
      for (let i = 0; i < row.length; i++) {
        const start = i - (i % 3);
        const mean = (row[start]! + row[start + 1]! + row[start + 2]!) / 3;
        change[i] = mean + share * (row[i]! - mean) + cast[i % 3]! - row[i]!;
      }
    },
  };
}

function isTaken(change: ColorChange, source = colorful): boolean {
  const work = takesColorOff(change, source);
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

describe('an edit takes all colour off', () => {
  it.each([
    ['none is left', 0, 0],
    ['a little is left', 0.05, 0],
    ['a little of its opposite is left', -0.05, 0],
    ['a cast is left that nobody sees', 0.02, 0.015],
  ])('where %s', (_, share, cast) => {
    expect(isTaken(muted(share, [cast, 0, -cast]))).toBe(true);
  });

  it.each([
    ['it mutes colours strongly', 0.1, 0],
    ['it leaves them', 1, 0],
    ['it gives the gray a tone', 0, 0.06],
    ['it turns them over', -1, 0],
  ])('but not where %s', (_, share, cast) => {
    expect(isTaken(muted(share, [cast, 0, -cast]))).toBe(false);
  });

  it('but not of a picture that has none', () => {
    expect(
      isTaken(
        muted(0, [0, 0, 0]),
        planes((x) => x / WIDTH),
      ),
    ).toBe(false);
  });
});

it('what is left comes out as luma, within black and white', () => {
  const row = Float64Array.of(0.2, 0.5, 0.9, 0.4, 0.4, 0.4);
  const change = Float64Array.of(0.3, 0.1, -0.4, 2, 2, 2);
  toGray(row, change);
  const gray = 0.299 * 0.5 + 0.587 * 0.6 + 0.114 * 0.5;
  for (const [i, expected] of [gray, gray, gray, 1, 1, 1].entries()) expect(row[i]! + change[i]!).toBeCloseTo(expected);
});
