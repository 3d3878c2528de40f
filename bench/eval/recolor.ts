import { smooth } from './point-operations.ts';

/** Colours that things can be recoloured from and to: hue in degrees, and half width of the range that counts as that colour. */
export const COLORS = {
  red: { hue: 0, width: 20 },
  orange: { hue: 30, width: 14 },
  yellow: { hue: 57, width: 16 },
  green: { hue: 120, width: 45 },
  blue: { hue: 225, width: 45 },
  purple: { hue: 285, width: 28 },
} as const;

export type Color = keyof typeof COLORS;

export const COLOR_NAMES = Object.keys(COLORS) as readonly Color[];

/** Hue in degrees, saturation and value in 0..1. */
export function rgbToHsv(r: number, g: number, b: number): [hue: number, saturation: number, value: number] {
  const most = Math.max(r, g, b);
  const range = most - Math.min(r, g, b);
  if (range === 0) return [0, 0, most];
  const sector = most === r ? (g - b) / range : most === g ? 2 + (b - r) / range : 4 + (r - g) / range;
  return [(sector * 60 + 360) % 360, range / most, most];
}

export function hsvToRgb(hue: number, saturation: number, value: number): [number, number, number] {
  const channel = (offset: number): number => {
    const k = (offset + hue / 60) % 6;
    return value - value * saturation * Math.max(0, Math.min(k, 4 - k, 1));
  };
  return [channel(5), channel(3), channel(1)];
}

/** How far a colour counts as the named one, 0..1. */
export function colorMask(color: Color, r: number, g: number, b: number): number {
  const { hue, width } = COLORS[color];
  const [own, saturation, value] = rgbToHsv(r, g, b);
  const apart = Math.abs(((own - hue + 540) % 360) - 180);
  return (
    smooth((1.25 * width - apart) / (0.5 * width)) * smooth((saturation - 0.2) / 0.15) * smooth((value - 0.12) / 0.12)
  );
}

/** The colour with the hue of the named range moved to another's. */
export function recolored(from: Color, to: Color, r: number, g: number, b: number): [number, number, number] {
  const mask = colorMask(from, r, g, b);
  if (mask === 0) return [r, g, b];
  const [hue, saturation, value] = rgbToHsv(r, g, b);
  const shift = COLORS[to].hue - COLORS[from].hue;
  const other = hsvToRgb((hue + shift + 720) % 360, saturation, value);
  return [r + (other[0] - r) * mask, g + (other[1] - g) * mask, b + (other[2] - b) * mask];
}
