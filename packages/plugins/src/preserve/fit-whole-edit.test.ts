import { describe, expect, it } from 'vitest';
import { fitColorGrid } from './fit-color-grid.js';
import { fitWholeEdit } from './fit-whole-edit.js';
import { gaussianBlur } from './gaussian-blur.js';
import type { Planes } from './planes.js';
import { createToneChange, type Tone } from './tone.js';

const WIDTH = 120;
const HEIGHT = 96;
const AREA = WIDTH * HEIGHT;

function finish<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

function planes(color: (x: number, y: number, channel: number) => number): Planes {
  const values = Float32Array.from({ length: 3 * AREA }, (_, i) => {
    const pixel = i % AREA;
    return color(pixel % WIDTH, Math.floor(pixel / WIDTH), Math.floor(i / AREA)) * 2 - 1;
  });
  return { width: WIDTH, height: HEIGHT, values };
}

/** As through an autoencoder that keeps no detail. */
function softened(picture: Planes): Planes {
  const channels = [0, 1, 2].flatMap((channel) => {
    const values = Float64Array.from(picture.values.subarray(channel * AREA, (channel + 1) * AREA));
    return [...finish(gaussianBlur({ width: WIDTH, height: HEIGHT, values }, 1.2)).values];
  });
  return { ...picture, values: Float32Array.from(channels) };
}

function at(picture: Planes, x: number, y: number, channel: number): number {
  return (picture.values[channel * AREA + y * WIDTH + x] as number) / 2 + 0.5;
}

function lightness(picture: Planes, x: number, y: number): number {
  return 0.299 * at(picture, x, y, 0) + 0.587 * at(picture, x, y, 1) + 0.114 * at(picture, x, y, 2);
}

const waves = planes((x, y, channel) => 0.5 + 0.25 * Math.sin(x / 3 + channel) + 0.22 * Math.sin(y / 4 + x / 11));
const step = (value: number): number => {
  const t = Math.min(Math.max(value, 0), 1);
  return t * t * (3 - 2 * t);
};

function wholeOf(change: (picture: Planes) => Planes, patch = 4): Tone | undefined {
  const pictures = { source: waves, before: softened(waves), after: softened(change(waves)) };
  return finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), patch));
}

/** What a change makes of a picture. */
function resultOf(tone: Tone, source = waves): Planes {
  const change = createToneChange(tone, { width: WIDTH, height: HEIGHT });
  const row = new Float64Array(WIDTH * 3);
  const added = new Float64Array(WIDTH * 3);
  const values = new Float32Array(3 * AREA);
  for (let y = 0; y < HEIGHT; y++) {
    for (let i = 0; i < row.length; i++) row[i] = at(source, Math.floor(i / 3), y, i % 3);
    change.row(y, row, added);
    for (let i = 0; i < row.length; i++)
      values[(i % 3) * AREA + y * WIDTH + Math.floor(i / 3)] = ((row[i] as number) + (added[i] as number)) * 2 - 1;
  }
  return { ...waves, values };
}

/** Mean red, 0..1 and clamped, of some pixels. */
function meanWhere(picture: Planes, where: (x: number, y: number) => boolean): number {
  let [sum, count] = [0, 0];
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      if (!where(x, y)) continue;
      sum += Math.min(Math.max(at(picture, x, y, 0), 0), 1);
      count++;
    }
  }
  return sum / count;
}

const between = (value: number, from: number, to: number): boolean => value >= from && value < to;

/** Root mean square difference of the change's result to the exact one. */
function error(tone: Tone, exact: Planes, source = waves): number {
  const { values } = resultOf(tone, source);
  const sum = values.reduce((total, value, i) => total + ((value - (exact.values[i] as number)) / 2) ** 2, 0);
  return Math.sqrt(sum / (3 * AREA));
}

const mapped = (map: (value: number, channel: number, x: number, y: number) => number) => (picture: Planes) =>
  planes((x, y, channel) => map(at(picture, x, y, channel), channel, x, y));

describe('a change for the whole picture', () => {
  it.each<[string, (picture: Planes) => Planes]>([
    ['two tones', (picture) => planes((x, y) => step((lightness(picture, x, y) - 0.4) / 0.12))],
    ['darker', mapped((value) => value ** 1.8)],
    ['warmer', mapped((value, channel) => value * ([1.2, 1.03, 0.72][channel] as number))],
    ['highlights turned over', mapped((value) => (value > 0.55 ? 1.2 * (1 - value) : 1.2 * value))],
  ])('is found behind a soft edit, as sharp as the source: %s', (_, change) => {
    const grade = wholeOf(change) as Tone;
    expect(grade).toMatchObject({ share: undefined });
    expect(error(grade, change(waves))).toBeLessThan(0.08);
  });

  it.each([1, 2, 8, 120])('is found whatever one latent stands for: %i pixels', (patch) => {
    const darker = mapped((value) => value ** 1.8);
    expect(error(wholeOf(darker, patch) as Tone, darker(waves))).toBeLessThan(0.02);
  });

  it('is black and white to a level where an edit clips, though the autoencoder gives back grays', () => {
    const clipped = planes((x, y) => step((lightness(waves, x, y) - 0.4) / 0.12));
    const grayed = { ...clipped, values: clipped.values.map((value) => value * 0.95) };
    const pictures = { source: waves, before: waves, after: grayed };
    const result = resultOf(finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4)) as Tone);
    const levels = (from: number, to: number) =>
      meanWhere(result, (x, y) => between(lightness(waves, x, y), from, to)) * 255;
    expect(levels(0, 0.3)).toBeLessThan(1);
    expect(levels(0.6, 1)).toBeGreaterThan(254);
  });

  /** Clipped to 0..1, with corners that are rounded off over two fifths of the light. */
  const rounded = (value: number): number => {
    const lifted = (light: number) => (Math.abs(light) < 0.2 ? (light + 0.2) ** 2 / 0.8 : Math.max(light, 0));
    return value < 0.5 ? lifted(value) : 1 - lifted(1 - value);
  };

  it.each([1.3, 1.7, 2])('is a clipped line where tones are set apart, though corners come back round: %f', (slope) => {
    const apart = mapped((value) => 0.5 + slope * (value - 0.5));
    const cornered = mapped((value) => rounded(0.5 + slope * (value - 0.5)));
    const pictures = { source: waves, before: waves, after: cornered(waves) };
    const grade = finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4)) as Tone;
    const clipped = mapped((value) => Math.min(Math.max(value, 0), 1));
    const { values } = clipped(apart(waves));
    const off = clipped(resultOf(grade)).values.map((value, i) => Math.abs(value - (values[i] as number)) / 2);
    expect(Math.max(...off)).toBeLessThan(0.02);
  });

  it('keeps its curve where it clips one end only', () => {
    const darker = mapped((value) => Math.max(0.5 + 1.3 * (value - 0.6), 0) ** 1.2);
    expect(error(wholeOf(darker) as Tone, darker(waves))).toBeLessThan(0.01);
  });

  it.each<[string, (value: number) => number]>([
    ['a negative', (value) => 1 - value],
    ['half the contrast', (value) => 0.5 + 0.5 * (value - 0.5)],
  ])('is exact though the autoencoder pales all pictures: %s', (_, map) => {
    const paled = ({ values, ...size }: Planes): Planes => ({ ...size, values: values.map((value) => 0.8 * value) });
    const change = mapped(map);
    const pictures = { source: waves, before: paled(waves), after: paled(change(waves)) };
    const grade = finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4)) as Tone;
    expect(error(grade, change(waves))).toBeLessThan(0.01);
  });

  it('is dark to a level though the autoencoder lightens what is near black', () => {
    const dark = planes((x, y) => 0.2 + 0.1 * Math.sin(x / 3) + 0.1 * Math.sin(y / 4 + x / 11));
    const lightened = ({ values, ...size }: Planes): Planes => ({
      ...size,
      values: values.map((value) => value + 0.04 * Math.max(1 - (value + 1) / 0.3, 0)),
    });
    const darker = planes((x, y, channel) => at(dark, x, y, channel) ** 2);
    const pictures = { source: dark, before: lightened(dark), after: lightened(darker) };
    const grade = finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4)) as Tone;
    expect(error(grade, darker, dark) * 255).toBeLessThan(1.5);
  });

  it('leaves black and white of a part as they are, though little there is dark or light', () => {
    const spot = (x: number, y: number) => x % 24 === 0 && y % 24 === 0;
    const gray = planes((x, y) => {
      if (spot(x, y)) return y < HEIGHT / 2 ? 0.05 : 0.95;
      return 0.45 + 0.15 * Math.sin(x / 7) * Math.sin(y / 5);
    });
    const darkerToTheLeft = planes((x, y, channel) => {
      const value = at(gray, x, y, channel);
      return value - (value - value ** 2.3) * step((0.65 - x / WIDTH) / 0.3);
    });
    const pictures = { source: gray, before: softened(gray), after: softened(darkerToTheLeft) };
    const result = resultOf(finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4)) as Tone, gray);
    for (const [x, y] of [
      [0, 0],
      [24, 24],
      [0, 72],
      [24, 72],
    ] as const) {
      expect(Math.abs(at(result, x, y, 0) - at(darkerToTheLeft, x, y, 0))).toBeLessThan(0.03);
    }
  });

  it('is black and white at the ends of more contrast, though the autoencoder rounds off the corners', () => {
    const source = planes((x, y) => 0.5 + 0.25 * Math.sin(x / 3) + 0.22 * Math.sin(y / 4 + x / 11));
    const after = planes((x, y) => {
      const value = at(source, x, y, 0);
      return Math.min(Math.max(0.5 + (value - 0.5) * 1.65, 0.3 * value), 0.7 + 0.3 * value);
    });
    const pictures = { source, before: source, after };
    const result = resultOf(finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4)) as Tone, source);
    const levels = (from: number, to: number) =>
      meanWhere(result, (x, y) => between(at(source, x, y, 0), from, to)) * 255;
    expect(levels(0, 0.15)).toBeLessThan(1);
    expect(levels(0.85, 1)).toBeGreaterThan(254);
  });

  it('is black also where the gray that comes back rises and falls', () => {
    const clipped = planes((x, y) => {
      const light = lightness(waves, x, y);
      return light < 0.35 ? 0.05 * Math.sin((light / 0.35) * Math.PI) : step((light - 0.4) / 0.12);
    });
    const pictures = { source: waves, before: waves, after: clipped };
    const result = resultOf(finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4)) as Tone);
    expect(meanWhere(result, (x, y) => lightness(waves, x, y) < 0.3) * 255).toBeLessThan(1);
  });

  it('is not taken for lines where fine structure gets flatter and a model errs from place to place', () => {
    const fine = planes((x, y) => 0.5 + 0.4 * Math.sin(x * 0.7) * Math.sin(y * 0.9));
    const flatter = planes((x, y, channel) => {
      const error = 0.03 * Math.sin(Math.floor(x / 4) * 2.4 + Math.floor(y / 4) * 3.7);
      return 0.5 + 0.3 * (at(fine, x, y, channel) - 0.5) + error;
    });
    const pictures = { source: fine, before: softened(fine), after: softened(flatter) };
    const whole = finish(fitWholeEdit(pictures, finish(fitColorGrid(pictures)), 4));
    expect(whole ?? {}).not.toHaveProperty('knots');
  });

  it('keeps what stands in the darks of an edit that clips nothing', () => {
    const darker = mapped((value) => value ** 1.8);
    const exact = darker(waves);
    const result = resultOf(wholeOf(darker) as Tone);
    const levels = (from: number, to: number) =>
      meanWhere(result, (x, y) => between(at(exact, x, y, 0), from, to)) * 255;
    expect(levels(0.03, 0.05) - levels(0, 0.02)).toBeGreaterThan(5);
  });

  it('takes what an edit did to a part, and how it fades out', () => {
    const darkerToTheLeft = mapped((value, _, x) => value - (value - value ** 2.3) * step((0.65 - x / WIDTH) / 0.3));
    const grade = wholeOf(darkerToTheLeft) as Tone;
    expect(grade).toMatchObject({ share: { width: WIDTH, height: HEIGHT } });
    expect(error(grade, darkerToTheLeft(waves))).toBeLessThan(0.03);
  });

  it('finds lines, which depend on how light a pixel is against its surroundings', () => {
    const light = Float64Array.from({ length: AREA }, (_, i) => lightness(waves, i % WIDTH, Math.floor(i / WIDTH)));
    const deviation = 0.015 * Math.sqrt(AREA);
    const { values } = finish(gaussianBlur({ width: WIDTH, height: HEIGHT, values: light }, deviation));
    const lines = (picture: Planes) =>
      planes((x, y) => Math.min(lightness(picture, x, y) / ((values[y * WIDTH + x] as number) + 0.02), 1) ** 2.5);
    const curve = wholeOf(lines) as Tone;
    expect(curve).toHaveProperty('surround');
    expect(error(curve, lines(waves))).toBeLessThan(0.05);
  });

  it.each<[string, (picture: Planes) => Planes]>([
    [
      'no colour, and dark on one side',
      (picture) => planes((x, y) => lightness(picture, x, y) * (1 - 0.7 * step((x / WIDTH - 0.4) / 0.5))),
    ],
    [
      'inverted in the middle, darker around',
      mapped((value, channel, x) => (x > 40 && x < 80 ? (channel === 0 ? 1 - value : value) : value * 0.7)),
    ],
    [
      'two changes side by side',
      mapped((value, channel, x) => (x < 60 ? value * 0.6 : value ** ([0.4, 2, 1][channel] as number))),
    ],
    [
      'three changes',
      mapped((value, channel, x) => {
        if (x < 40) return value * 0.7;
        return x < 80 ? (channel === 0 ? 1 - value : value) : value ** ([0.4, 2, 1][channel] as number);
      }),
    ],
  ])('is not taken for what several changes do better: %s', (_, change) => {
    expect(wholeOf(change)).toBeUndefined();
  });
});
