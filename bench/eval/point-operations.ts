/**
 * The operations that need nothing but a pixel's own colour. Each takes red, green, blue in 0..1 and their luma, and a strength, and
 * writes the new colour (not clamped) into `out`.
 */
export type PointOperation = (out: Float64Array, r: number, g: number, b: number, luma: number, s: number) => void;

/** Hermite step on a clamped argument. */
export function smooth(t: number): number {
  const inside = t < 0 ? 0 : Math.min(t, 1);
  return inside * inside * (3 - 2 * inside);
}

/** The same function of every channel. */
const perChannel =
  (change: (value: number, s: number) => number): PointOperation =>
  (out, r, g, b, _luma, s) => {
    out[0] = change(r, s);
    out[1] = change(g, s);
    out[2] = change(b, s);
  };

/** Colours moved from or to their luma by a factor. */
const saturation =
  (factor: (s: number) => number): PointOperation =>
  (out, r, g, b, luma, s) => {
    const scale = factor(s);
    out[0] = luma + (r - luma) * scale;
    out[1] = luma + (g - luma) * scale;
    out[2] = luma + (b - luma) * scale;
  };

const gains =
  (red: number, green: number, blue: number): PointOperation =>
  (out, r, g, b, _luma, s) => {
    out[0] = r * (1 + red * s);
    out[1] = g * (1 + green * s);
    out[2] = b * (1 + blue * s);
  };

const gray =
  (value: (luma: number) => number): PointOperation =>
  (out, _r, _g, _b, luma) => {
    out.fill(value(luma));
  };

const tint =
  (red: number, green: number, blue: number): PointOperation =>
  (out, r, g, b, luma, s) => {
    const amount = Math.min(0.9, 0.42 * s);
    const light = amount * (0.25 + 0.85 * luma);
    out[0] = r * (1 - amount) + red * light;
    out[1] = g * (1 - amount) + green * light;
    out[2] = b * (1 - amount) + blue * light;
  };

const fade: PointOperation = (out, r, g, b, luma, s) => {
  const keep = 1 - 0.35 * s;
  const shrink = 1 - 0.3 * s;
  const lift = 0.16 * s;
  out[0] = lift + (luma + (r - luma) * keep) * 1.03 * shrink;
  out[1] = lift + (luma + (g - luma) * keep) * shrink;
  out[2] = lift + (luma + (b - luma) * keep) * 0.93 * shrink;
};

const night: PointOperation = (out, r, g, b, luma, s) => {
  const power = 1 + 0.5 * s;
  const scale = 1 / (0.6 + 0.4 * s);
  out[0] = (luma + 0.55 * (r - luma)) ** power * 0.35 * scale;
  out[1] = (luma + 0.55 * (g - luma)) ** power * 0.45 * scale;
  out[2] = (luma + 0.55 * (b - luma)) ** power * 0.75 * scale;
};

export const POINT_OPERATIONS = {
  brighten: perChannel((x, s) => x ** (1 / (1 + 0.8 * s))),
  darken: perChannel((x, s) => x ** (1 + 0.8 * s)),
  contrast_up: perChannel((x, s) => 0.5 + (x - 0.5) * (1 + 0.65 * s)),
  contrast_down: perChannel((x, s) => 0.5 + (x - 0.5) * (1 - 0.5 * s)),
  saturate: saturation((s) => 1 + 0.9 * s),
  desaturate: saturation((s) => 1 - 0.55 * s),
  warm: gains(0.2, 0.03, -0.28),
  cool: gains(-0.25, 0, 0.22),
  grayscale: gray((luma) => luma),
  sepia: (out, _r, _g, _b, luma) => {
    out[0] = 1.07 * luma + 0.02;
    out[1] = 0.87 * luma;
    out[2] = 0.64 * luma;
  },
  invert: perChannel((x) => 1 - x),
  swap: (out, r, g, b) => {
    out[0] = b;
    out[1] = g;
    out[2] = r;
  },
  threshold: gray((luma) => smooth((luma - 0.4) / 0.12)),
  solarise: perChannel((x) => (x > 0.55 ? 1.2 * (1 - x) : 1.2 * x)),
  tint_red: tint(0.85, 0.1, 0.1),
  tint_green: tint(0.1, 0.7, 0.15),
  tint_blue: tint(0.1, 0.2, 0.9),
  tint_yellow: tint(0.95, 0.85, 0.1),
  tint_purple: tint(0.55, 0.1, 0.75),
  tint_teal: tint(0.05, 0.65, 0.65),
  tint_orange: tint(0.95, 0.5, 0.05),
  tint_pink: tint(0.98, 0.45, 0.7),
  fade,
  night,
} satisfies Record<string, PointOperation>;
