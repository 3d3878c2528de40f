import { describe, expect, test } from 'vitest';
import { gaussianBlur } from './gaussian-blur.ts';
import {
  apply,
  applyAll,
  type Family,
  MAIN_FAMILIES,
  type Operation,
  operationName,
  type Strength,
} from './operations.ts';
import { fromPixels, type Picture, toPixels } from './picture.ts';
import { colorMask, hsvToRgb, rgbToHsv } from './recolor.ts';

/** A picture of pixels given as colours. */
function pictureOf(width: number, colors: readonly (readonly number[])[]): Picture {
  const values = new Float32Array(3 * colors.length);
  colors.forEach((color, pixel) => {
    color.forEach((value, channel) => {
      values[channel * colors.length + pixel] = value;
    });
  });
  return { width, height: colors.length / width, values };
}

function colorAt({ values }: Picture, pixel: number): number[] {
  const count = values.length / 3;
  return [0, 1, 2].map((channel) => Number((values[channel * count + pixel] as number).toFixed(4)));
}

/** What an operation makes of one colour, luma 0.4968. */
function of(family: Family, strength: Strength = 'plain', color = [0.8, 0.4, 0.2]): number[] {
  return colorAt(apply({ family, strength }, pictureOf(1, [color])), 0);
}

// Worked out by hand from the formulas.
describe('one colour', () => {
  test.each<[Family, Strength, number[]]>([
    ['brighten', 'weak', [0.8527, 0.5197, 0.3168]],
    ['brighten', 'plain', [0.8834, 0.6011, 0.409]],
    ['brighten', 'strong', [0.9068, 0.6691, 0.4937]],
    ['darken', 'weak', [0.7317, 0.2773, 0.1051]],
    ['darken', 'plain', [0.6692, 0.1922, 0.0552]],
    ['darken', 'strong', [0.6012, 0.1238, 0.0255]],
    ['contrast_up', 'plain', [0.995, 0.335, 0.005]],
    ['contrast_up', 'strong', [1, 0.296, 0]],
    ['contrast_down', 'plain', [0.65, 0.45, 0.35]],
    ['saturate', 'plain', [1, 0.3129, 0]],
    ['desaturate', 'plain', [0.6332, 0.4532, 0.3632]],
    ['warm', 'plain', [0.96, 0.412, 0.144]],
    ['warm', 'strong', [1, 0.4192, 0.1104]],
    ['cool', 'plain', [0.6, 0.4, 0.244]],
    ['grayscale', 'plain', [0.4968, 0.4968, 0.4968]],
    ['sepia', 'plain', [0.5516, 0.4322, 0.318]],
    ['invert', 'plain', [0.2, 0.6, 0.8]],
    ['swap', 'plain', [0.2, 0.4, 0.8]],
    ['threshold', 'plain', [0.9023, 0.9023, 0.9023]],
    ['solarise', 'plain', [0.24, 0.48, 0.24]],
    ['tint_red', 'plain', [0.704, 0.2602, 0.1442]],
    ['tint_red', 'strong', [0.6464, 0.1764, 0.1108]],
    ['tint_pink', 'plain', [0.7407, 0.3591, 0.3137]],
    ['fade', 'plain', [0.6603, 0.4637, 0.3578]],
    ['night', 'plain', [0.1892, 0.1329, 0.1445]],
    ['sketch', 'plain', [0.906, 0.906, 0.906]],
    ['glow', 'plain', [0.8411, 0.4616, 0.2411]],
    ['posterise', 'plain', [0.6667, 0.3333, 0.3333]],
    ['posterise', 'strong', [1, 0.5, 0]],
  ])('%s, %s', (family, strength, expected) => {
    expect(of(family, strength)).toEqual(expected);
  });

  test('there are 35 families of tone, colour, light and region', () => {
    expect(MAIN_FAMILIES).toHaveLength(35);
  });

  test('results stay in 0..1', () => {
    for (const family of MAIN_FAMILIES) {
      for (const color of [
        [0, 0, 0],
        [1, 1, 1],
        [1, 0, 1],
      ]) {
        for (const value of of(family, 'strong', color)) {
          expect(value).toBeGreaterThanOrEqual(0);
          expect(value).toBeLessThanOrEqual(1);
        }
      }
    }
  });
});

describe('places', () => {
  const column = pictureOf(
    1,
    Array.from({ length: 4 }, () => [0.8, 0.4, 0.2]),
  );

  test('a half has a soft border and leaves the other side as it was', () => {
    const changed = apply({ family: 'darken_bottom', strength: 'plain' }, column);
    expect([0, 1, 2, 3].map((pixel) => colorAt(changed, pixel))).toEqual([
      [0.8, 0.4, 0.2],
      [0.796, 0.3945, 0.1966],
      [0.6025, 0.127, 0.0281],
      [0.5986, 0.1215, 0.0247],
    ]);
  });

  test('the four sides are where they should be', () => {
    const square = pictureOf(
      5,
      Array.from({ length: 25 }, () => [0.5, 0.5, 0.5]),
    );
    const changedAt = (family: Family): number[] => {
      const { values } = apply({ family, strength: 'plain' }, square);
      return [2, 14, 22, 10].filter((pixel) => Math.abs((values[pixel] as number) - 0.5) > 0.15);
    };
    expect(changedAt('brighten_top')).toEqual([2]);
    expect(changedAt('brighten_right')).toEqual([14]);
    expect(changedAt('brighten_bottom')).toEqual([22]);
    expect(changedAt('brighten_left')).toEqual([10]);
  });

  test('a vignette goes by the distance from the middle', () => {
    const square = pictureOf(
      2,
      Array.from({ length: 4 }, () => [0.8, 0.4, 0.2]),
    );
    const changed = apply({ family: 'vignette', strength: 'plain' }, square);
    for (const pixel of [0, 1, 2, 3]) expect(colorAt(changed, pixel)).toEqual([0.681, 0.3405, 0.1703]);
  });

  test('pixelation takes the mean of blocks, cut at the edges', () => {
    // A side of 2 for every size under 60 pixels.
    const row = pictureOf(
      5,
      [0, 1, 0.2, 0.4, 0.9].map((value) => [value, value, value]),
    );
    const { values } = apply({ family: 'pixelate', strength: 'plain' }, row);
    expect([...values.subarray(0, 5)].map((value) => Number(value.toFixed(4)))).toEqual([0.5, 0.5, 0.3, 0.3, 0.9]);
  });
});

describe('blur', () => {
  test('spreads a point as a Gaussian does, and loses nothing', () => {
    const side = 21;
    const point = pictureOf(
      side,
      Array.from({ length: side * side }, (_, pixel) => (pixel === 220 ? [1, 1, 1] : [0, 0, 0])),
    );
    const { values } = gaussianBlur(point, 2 / side);
    const plane = values.subarray(0, side * side);
    expect(plane.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5);
    // exp(-1/8) and exp(-4/8): one and two pixels at a deviation of 2.
    expect((plane[221] as number) / (plane[220] as number)).toBeCloseTo(0.8825, 3);
    expect((plane[220 + 2 * side] as number) / (plane[220] as number)).toBeCloseTo(0.6065, 3);
  });

  test('sharpening turns the difference round', () => {
    const edge = pictureOf(
      20,
      Array.from({ length: 400 }, (_, pixel) => (pixel % 20 < 10 ? [0.4, 0.4, 0.4] : [0.6, 0.6, 0.6])),
    );
    const soft = apply({ family: 'blur', strength: 'plain' }, edge).values;
    const hard = apply({ family: 'sharpen', strength: 'strong' }, edge).values;
    expect(soft[209]).toBeGreaterThan(0.4);
    expect(hard[209]).toBeLessThan(0.4);
    expect(hard[210]).toBeGreaterThan(0.6);
  });
});

describe('recolouring', () => {
  const recolor = (from: 'red' | 'orange', to: 'blue', color: number[]): number[] =>
    colorAt(apply({ family: 'recolor', from, to }, pictureOf(1, [color])), 0);

  test('the named colour gets the other hue, with its own saturation and value', () => {
    expect(recolor('red', 'blue', [0.8, 0.1, 0.1])).toEqual([0.1, 0.275, 0.8]);
    expect(recolor('orange', 'blue', [0.8, 0.4, 0.2])).toEqual([0.2, 0.45, 0.8]);
  });

  test('other colours, gray and black stay', () => {
    for (const color of [
      [0.1, 0.8, 0.1],
      [0.5, 0.5, 0.5],
      [0.1, 0.01, 0.01],
    ]) {
      expect(recolor('red', 'blue', color)).toEqual(color.map((value) => Number(Math.fround(value).toFixed(4))));
    }
  });

  test('pale colours are moved in part', () => {
    // Saturation 0.275 lies in the middle of the soft border.
    expect(colorMask('red', 0.8, 0.58, 0.58)).toBeCloseTo(0.5, 6);
    expect(
      colorAt(apply({ family: 'recolor', from: 'red', to: 'green' }, pictureOf(1, [[0.8, 0.58, 0.58]])), 0),
    ).toEqual([0.69, 0.69, 0.58]);
  });

  test('hues below 0 are those below 360', () => {
    expect(rgbToHsv(0.8, 0.1, 0.2)[0]).toBeCloseTo(351.43, 2);
    expect(colorMask('red', 0.8, 0.1, 0.2)).toBe(1);
  });

  test('HSV and back', () => {
    const colors: [number, number, number][] = [
      [0.1, 0.7, 0.3],
      [0.9, 0.2, 0.8],
      [0.3, 0.3, 0.3],
      [0, 0, 1],
    ];
    for (const color of colors) {
      hsvToRgb(...rgbToHsv(...color)).forEach((value, channel) => {
        expect(value).toBeCloseTo(color[channel] as number, 12);
      });
    }
  });
});

describe('several operations', () => {
  const warm: Operation = { family: 'warm', strength: 'plain' };
  const gray: Operation = { family: 'grayscale', strength: 'plain' };

  test('follow each other', () => {
    const picture = pictureOf(1, [[0.8, 0.4, 0.2]]);
    expect(colorAt(applyAll([warm, gray], picture), 0)).toEqual([0.5453, 0.5453, 0.5453]);
    expect(colorAt(applyAll([gray, warm], picture), 0)).toEqual([0.5962, 0.5117, 0.3577]);
    expect(colorAt(applyAll([], picture), 0)).toEqual([0.8, 0.4, 0.2]);
  });

  test('names', () => {
    expect(operationName(warm)).toBe('warm');
    expect(operationName({ family: 'warm', strength: 'weak' })).toBe('warm (weak)');
    expect(operationName({ family: 'sepia', strength: 'weak' })).toBe('sepia');
    expect(operationName({ family: 'recolor', from: 'red', to: 'blue' })).toBe('red to blue');
  });
});

test('pixels come back as they were', () => {
  const data = Uint8Array.from({ length: 256 * 3 }, (_, index) => (index * 7) % 256);
  const pixels = { width: 16, height: 16, channels: 3, data };
  expect(toPixels(fromPixels(pixels)).data).toEqual(data);
});
