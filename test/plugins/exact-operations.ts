/**
 * Exact edits of a picture: what the transfer of a decoded edit to the full-size source is measured against. RGB 0..1, gamma-encoded;
 * pixels interleaved; places in 0..1 of the picture's sides, so that an operation means the same at every size.
 */
export interface FloatPicture {
  readonly width: number;
  readonly height: number;
  /** `3 * width * height` values. */
  readonly values: Float64Array;
}

export type Color = readonly [number, number, number];
/** One pixel's colour at a place. */
type PixelOperation = (color: Color, place: { x: number; y: number }) => Color;

const map = (color: Color, change: (value: number) => number): Color => [
  change(color[0]),
  change(color[1]),
  change(color[2]),
];
const mix = (from: Color, to: Color, share: number): Color => [
  from[0] + (to[0] - from[0]) * share,
  from[1] + (to[1] - from[1]) * share,
  from[2] + (to[2] - from[2]) * share,
];
const lumaOf = ([red, green, blue]: Color): number => 0.299 * red + 0.587 * green + 0.114 * blue;
const times = (color: Color, [red, green, blue]: Color): Color => [color[0] * red, color[1] * green, color[2] * blue];
const aroundLuma = (color: Color, factor: number): Color =>
  map(color, (value) => lumaOf(color) + (value - lumaOf(color)) * factor);
const smoothstep = (value: number): number => {
  const t = Math.min(Math.max(value, 0), 1);
  return t * t * (3 - 2 * t);
};
/** Exact operations at normal strength. */
export const OPERATIONS = {
  brighten: (color) => map(color, (value) => value ** (1 / 1.8)),
  darken: (color) => map(color, (value) => value ** 1.8),
  'contrast up': (color) => map(color, (value) => 0.5 + (value - 0.5) * 1.65),
  saturate: (color) => aroundLuma(color, 1.9),
  warm: (color) => times(color, [1.2, 1.03, 0.72]),
  cool: (color) => times(color, [0.75, 1, 1.22]),
  grayscale: (color) => map(color, () => lumaOf(color)),
  sepia: (color) => [1.07 * lumaOf(color) + 0.02, 0.87 * lumaOf(color), 0.64 * lumaOf(color)],
  invert: (color) => map(color, (value) => 1 - value),
  swap: ([red, green, blue]) => [blue, green, red],
  solarise: (color) => map(color, (value) => (value > 0.55 ? 1.2 * (1 - value) : 1.2 * value)),
  'tint teal': (color) =>
    mix(
      color,
      map([0.05, 0.65, 0.65], (value) => value * (0.25 + 0.85 * lumaOf(color))),
      0.42,
    ),
  night: (color) =>
    times(
      map(aroundLuma(color, 0.55), (value) => value ** 1.5),
      [0.35, 0.45, 0.75],
    ),
  vignette: (color, { x, y }) => {
    const radius = Math.hypot(x - 0.5, y - 0.5) / Math.SQRT1_2;
    return map(color, (value) => value * (1 - 0.75 * smoothstep((radius - 0.3) / 0.7)));
  },
  'darken the top': (color, { y }) => {
    const darker = map(color, (value) => value ** 2.3);
    return mix(color, darker, smoothstep((1 - y - 0.35) / 0.3));
  },
} satisfies Record<string, PixelOperation>;

export type OperationName = keyof typeof OPERATIONS;

/** The operation on every pixel, clamped. */
export function operate(picture: FloatPicture, name: OperationName): FloatPicture {
  const { width, height, values } = picture;
  const operation: PixelOperation = OPERATIONS[name];
  const result = new Float64Array(values.length);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const at = pixel * 3;
    // A power of a negative number is none: pictures that are not clamped are, first.
    const color = map([values[at]!, values[at + 1]!, values[at + 2]!], (value) => Math.min(Math.max(value, 0), 1));
    const place = { x: ((pixel % width) + 0.5) / width, y: (Math.floor(pixel / width) + 0.5) / height };
    const changed = operation(color, place);
    for (let channel = 0; channel < 3; channel++) result[at + channel] = Math.min(Math.max(changed[channel]!, 0), 1);
  }
  return { width, height, values: result };
}
