import { gaussianBlur } from './gaussian-blur.ts';
import { clamp, luma, type Picture } from './picture.ts';
import { POINT_OPERATIONS, type PointOperation, smooth } from './point-operations.ts';
import { type Color, recolored } from './recolor.ts';

/** "A bit", nothing said, "strongly". */
export const STRENGTHS = { weak: 0.5, plain: 1, strong: 1.6 } as const;
export type Strength = keyof typeof STRENGTHS;
export const STRENGTH_NAMES = Object.keys(STRENGTHS) as readonly Strength[];

type PictureOperation = (picture: Picture, strength: Strength) => Picture;

const pointwise =
  (operation: PointOperation): PictureOperation =>
  ({ width, height, values }, strength) => {
    const count = width * height;
    const changed = new Float32Array(values.length);
    const out = new Float64Array(3);
    for (let pixel = 0; pixel < count; pixel++) {
      const r = values[pixel] as number;
      const g = values[count + pixel] as number;
      const b = values[2 * count + pixel] as number;
      operation(out, r, g, b, 0.299 * r + 0.587 * g + 0.114 * b, STRENGTHS[strength]);
      for (let channel = 0; channel < 3; channel++) changed[channel * count + pixel] = clamp(out[channel] as number);
    }
    return { width, height, values: changed };
  };

/**
 * A change that grows with a mask: x (1 - m) + change(x) m. The mask is told by the place, u and v in 0..1 at the middle of the pixel;
 * where it is 0 nothing is worked out.
 */
const byPlace =
  (mask: (u: number, v: number) => number, change: (value: number, s: number) => number): PictureOperation =>
  ({ width, height, values }, strength) => {
    const s = STRENGTHS[strength];
    const count = width * height;
    const changed = values.slice();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const m = mask((x + 0.5) / width, (y + 0.5) / height);
        if (m === 0) continue;
        for (let index = y * width + x; index < 3 * count; index += count) {
          const value = values[index] as number;
          changed[index] = clamp(value * (1 - m) + change(value, s) * m);
        }
      }
    }
    return { width, height, values: changed };
  };

const vignette = byPlace(
  (u, v) => smooth((Math.hypot(u - 0.5, v - 0.5) / Math.SQRT1_2 - 0.3) / 0.7),
  (value, s) => value * (1 - Math.min(0.97, 0.75 * s)),
);

const SIDES = {
  top: (_u: number, v: number) => 1 - v,
  bottom: (_u: number, v: number) => v,
  left: (u: number) => 1 - u,
  right: (u: number) => u,
} as const;

const half = (side: keyof typeof SIDES, power: (s: number) => number): PictureOperation =>
  byPlace(
    (u, v) => smooth((SIDES[side](u, v) - 0.35) / 0.3),
    (value, s) => value ** power(s),
  );
const darkHalf = (side: keyof typeof SIDES): PictureOperation => half(side, (s) => 1 + 1.3 * s);
const brightHalf = (side: keyof typeof SIDES): PictureOperation => half(side, (s) => 1 / (1 + 1.1 * s));

/** The picture's own gray light, spread, laid over it like a second slide ("screen"). */
const glow: PictureOperation = (picture, strength) => {
  const { values } = picture;
  const count = values.length / 3;
  const light = gaussianBlur(picture, 0.03).values;
  const amount = 0.55 * Math.min(1.5, STRENGTHS[strength]);
  const changed = values.map((value, index) => {
    const pixel = index % count;
    const sum = (values[pixel] as number) + (values[count + pixel] as number) + (values[2 * count + pixel] as number);
    return clamp(1 - (1 - value) * (1 - (amount * (light[index] as number) * sum) / 3));
  });
  return { ...picture, values: changed };
};

const sketch: PictureOperation = (picture) => {
  const count = picture.width * picture.height;
  const light = luma(picture);
  const around = luma(gaussianBlur(picture, 0.015));
  const values = new Float32Array(3 * count);
  for (let pixel = 0; pixel < count; pixel++) {
    const value = clamp((light[pixel] as number) / ((around[pixel] as number) + 0.02)) ** 2.5;
    for (let channel = 0; channel < 3; channel++) values[channel * count + pixel] = value;
  }
  return { ...picture, values };
};

const sharpen: PictureOperation = (picture, strength) => {
  const soft = gaussianBlur(picture, 0.012).values;
  const amount = 1.6 * STRENGTHS[strength];
  return {
    ...picture,
    values: picture.values.map((value, index) => clamp(value + amount * (value - (soft[index] as number)))),
  };
};

const LEVELS = { weak: 5, plain: 3, strong: 2 } as const;
const posterise: PictureOperation = (picture, strength) => {
  const levels = LEVELS[strength];
  return { ...picture, values: picture.values.map((value) => Math.round(value * levels) / levels) };
};

/** The mean of every block; the blocks start at the top left, those at the other edges are cut. */
const pixelate: PictureOperation = ({ width, height, values }, strength) => {
  const side = Math.max(2, Math.round((Math.sqrt(width * height) / 24) * STRENGTHS[strength]));
  const count = width * height;
  const changed = new Float32Array(values.length);
  for (let channel = 0; channel < 3; channel++) {
    for (let top = 0; top < height; top += side) {
      for (let left = 0; left < width; left += side) {
        const bottom = Math.min(height, top + side);
        const right = Math.min(width, left + side);
        let sum = 0;
        for (let y = top; y < bottom; y++) {
          for (let x = left; x < right; x++) sum += values[channel * count + y * width + x] as number;
        }
        const mean = sum / ((bottom - top) * (right - left));
        for (let y = top; y < bottom; y++) {
          const start = channel * count + y * width;
          changed.fill(mean, start + left, start + right);
        }
      }
    }
  }
  return { width, height, values: changed };
};

/** Tone, colour, light and region: what an editor of this kind is expected to know. */
const MAIN = {
  ...(Object.fromEntries(
    Object.entries(POINT_OPERATIONS).map(([name, operation]) => [name, pointwise(operation)]),
  ) as Record<keyof typeof POINT_OPERATIONS, PictureOperation>),
  vignette,
  glow,
  sketch,
  darken_top: darkHalf('top'),
  darken_bottom: darkHalf('bottom'),
  darken_left: darkHalf('left'),
  darken_right: darkHalf('right'),
  brighten_top: brightHalf('top'),
  brighten_bottom: brightHalf('bottom'),
  brighten_left: brightHalf('left'),
  brighten_right: brightHalf('right'),
};

/** What changes fine structure alone. */
const DETAIL = {
  blur: (picture, strength) => gaussianBlur(picture, 0.018 * STRENGTHS[strength]),
  sharpen,
  posterise,
  pixelate,
} satisfies Record<string, PictureOperation>;

export type MainFamily = keyof typeof MAIN;
export type DetailFamily = keyof typeof DETAIL;
export type Family = MainFamily | DetailFamily;

export const MAIN_FAMILIES = Object.keys(MAIN) as readonly MainFamily[];
export const DETAIL_FAMILIES = Object.keys(DETAIL) as readonly DetailFamily[];

/** Families that know no strength. */
export const WITHOUT_STRENGTH: readonly Family[] = [
  'grayscale',
  'sepia',
  'invert',
  'swap',
  'threshold',
  'solarise',
  'sketch',
];

const OPERATIONS: Readonly<Record<Family, PictureOperation>> = { ...MAIN, ...DETAIL };

/** One operation of an edit. */
export type Operation =
  | { readonly family: Family; readonly strength: Strength }
  | { readonly family: 'recolor'; readonly from: Color; readonly to: Color };

/** A name that two operations share only if they are the same. */
export function operationName(operation: Operation): string {
  if (operation.family === 'recolor') return `${operation.from} to ${operation.to}`;
  const { family, strength } = operation;
  return strength === 'plain' || WITHOUT_STRENGTH.includes(family) ? family : `${family} (${strength})`;
}

/** The exact result of an operation, in 0..1. */
export function apply(operation: Operation, picture: Picture): Picture {
  if (operation.family !== 'recolor') return OPERATIONS[operation.family](picture, operation.strength);
  const { from, to } = operation;
  const recolor: PointOperation = (out, r, g, b) => out.set(recolored(from, to, r, g, b));
  return pointwise(recolor)(picture, 'plain');
}

/** The exact result of operations one after the other; the picture itself where there are none. */
export function applyAll(operations: readonly Operation[], picture: Picture): Picture {
  return operations.reduce((current, operation) => apply(operation, current), picture);
}
