import { describe, expect, it } from 'vitest';
import { boxBlur, boxGain, dilate, type Plane } from './box-blur.js';
import { findRegions } from './regions.js';

function finish<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** A plane from a drawing: digits are values, blanks 0. */
function plane(drawing: string): Plane {
  const lines = drawing.split('\n').slice(1, -1);
  const width = Math.max(...lines.map((line) => line.length));
  const values = Float64Array.from(lines.flatMap((line) => [...line.padEnd(width)].map(Number)));
  return { width, height: lines.length, values };
}

function draw({ width, height, values }: Plane): string {
  const rows = Array.from({ length: height }, (_, y) => [...values.subarray(y * width, (y + 1) * width)].join(''));
  return `\n${rows.join('\n').replaceAll('0', ' ')}\n`;
}

describe('regions', () => {
  const find = (drawing: string, leastPixels = 3): string | undefined => {
    const found = finish(findRegions(plane(drawing), { low: 2, high: 5, leastPixels }));
    return found && draw(found);
  };

  it('reach the upper threshold somewhere and end at the lower one', () => {
    expect(find('\n 1333  44\n 1375  44\n 1211   2\n')).toBe('\n  111    \n  111    \n         \n');
  });

  it('do not hang together over corners, and small ones do not count', () => {
    expect(find('\n99  \n  99\n')).toBeUndefined();
    expect(find('\n99  \n  99\n', 2)).toBe('\n11  \n  11\n');
  });

  it('have their holes filled, but not their bays', () => {
    expect(find('\n       \n 99999 \n 9   9 \n 9 1 9 \n 999 9 \n       \n')).toBe(
      '\n       \n 11111 \n 1   1 \n 1   1 \n 111 1 \n       \n',
    );
    expect(find('\n       \n 99999 \n 9   9 \n 9 1 9 \n 99999 \n       \n')).toBe(
      '\n       \n 11111 \n 11111 \n 11111 \n 11111 \n       \n',
    );
  });

  it('are none where nothing happens', () => {
    expect(find('\n1212\n2121\n')).toBeUndefined();
  });
});

describe('box blur', () => {
  it('is exactly zero out of reach, and keeps the sum', () => {
    const size = 31;
    const values = new Float64Array(size * size);
    values[15 * size + 15] = 1;
    const blurred = finish(boxBlur({ width: size, height: size, values }, 3)).values;
    expect(blurred.reduce((sum, value) => sum + value, 0)).toBe(boxGain(3));
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        expect(blurred[y * size + x]! > 0).toBe(Math.max(Math.abs(x - 15), Math.abs(y - 15)) <= 9);
      }
    }
  });

  it('replicates the edges', () => {
    const values = new Float64Array(12).fill(2);
    const blurred = finish(boxBlur({ width: 4, height: 3, values }, 2)).values;
    expect([...blurred]).toEqual(Array(12).fill(2 * boxGain(2)));
  });
});

describe('dilation', () => {
  it('takes the largest value within its radius', () => {
    const values = Float64Array.from({ length: 20 * 9 }, (_, i) => (i * 7919) % 101);
    const { values: dilated } = finish(dilate({ width: 20, height: 9, values }, 2));
    for (let y = 0; y < 9; y++) {
      for (let x = 0; x < 20; x++) {
        let most = 0;
        for (let row = Math.max(y - 2, 0); row <= Math.min(y + 2, 8); row++) {
          for (let column = Math.max(x - 2, 0); column <= Math.min(x + 2, 19); column++)
            most = Math.max(most, values[row * 20 + column]!);
        }
        expect(dilated[y * 20 + x]).toBe(most);
      }
    }
  });
});
