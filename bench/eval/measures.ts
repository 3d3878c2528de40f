import { blurPlane, gaussianWeights } from './gaussian-blur.ts';
import { luma, type Picture } from './picture.ts';

/** An 11-pixel Gaussian window. */
const SSIM_WEIGHTS = gaussianWeights(1.5);
const SSIM_RADIUS = SSIM_WEIGHTS.length - 1;

const LINEAR_LEVELS = Float64Array.from({ length: 256 }, (_, level) => linearOf(level / 255));

/** CIE Lab (D65) of gamma-encoded sRGB in 0..1, three planes. */
export function toLab({ values }: Pick<Picture, 'values'>): Float32Array {
  const count = values.length / 3;
  const lab = new Float32Array(values.length);
  for (let pixel = 0; pixel < count; pixel++) {
    const r = linear(values[pixel] as number);
    const g = linear(values[count + pixel] as number);
    const b = linear(values[2 * count + pixel] as number);
    const x = root((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / 0.95047);
    const y = root(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
    const z = root((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / 1.08883);
    lab[pixel] = 116 * y - 16;
    lab[count + pixel] = 500 * (x - y);
    lab[2 * count + pixel] = 200 * (y - z);
  }
  return lab;
}

function linear(value: number): number {
  // Most values are levels of 8 bits, and powers are slow.
  const level = Math.round(value * 255);
  return Math.abs(value * 255 - level) < 1e-4 ? (LINEAR_LEVELS[level] as number) : linearOf(value);
}

function linearOf(value: number): number {
  return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
}

function root(value: number): number {
  return value > 216 / 24389 ? Math.cbrt(value) : (841 / 108) * value + 4 / 29;
}

/** Mean distance in Lab (CIE 1976 colour difference) of two pictures given as Lab planes. */
export function labDistance(a: Float32Array, b: Float32Array): number {
  const count = a.length / 3;
  let sum = 0;
  for (let pixel = 0; pixel < count; pixel++) {
    const l = (a[pixel] as number) - (b[pixel] as number);
    const u = (a[count + pixel] as number) - (b[count + pixel] as number);
    const v = (a[2 * count + pixel] as number) - (b[2 * count + pixel] as number);
    sum += Math.sqrt(l * l + u * u + v * v);
  }
  return sum / count;
}

/** Peak signal-to-noise ratio over all channels in decibels, at most 99 (equal pictures). */
export function psnr(a: Picture, b: Picture): number {
  let sum = 0;
  for (let index = 0; index < a.values.length; index++) {
    sum += ((a.values[index] as number) - (b.values[index] as number)) ** 2;
  }
  return Math.min(99, -10 * Math.log10(sum / a.values.length + Number.MIN_VALUE));
}

/**
 * Structural similarity of the lumas: Gaussian window of deviation 1.5 cut at 5 pixels, constants (0.01, 0.03), mean over the pixels
 * whose window lies inside; over all pixels in a picture too small for that.
 */
export function ssim(a: Picture, b: Picture): number {
  const { width, height } = a;
  const [x, y] = [luma(a), luma(b)];
  const mean = (plane: Float32Array): Float32Array => blurPlane(plane, width, height, SSIM_WEIGHTS);
  const product = (p: Float32Array, q: Float32Array): Float32Array =>
    p.map((value, index) => value * (q[index] as number));
  const [mx, my, xx, yy, xy] = [x, y, product(x, x), product(y, y), product(x, y)].map(mean) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [c1, c2] = [0.01 ** 2, 0.03 ** 2];
  const border = Math.min(width, height) > 2 * SSIM_RADIUS ? SSIM_RADIUS : 0;
  let sum = 0;
  let count = 0;
  for (let row = border; row < height - border; row++) {
    for (let column = border; column < width - border; column++) {
      const index = row * width + column;
      const u = mx[index] as number;
      const v = my[index] as number;
      const covariance = (xy[index] as number) - u * v;
      const variances = (xx[index] as number) - u * u + (yy[index] as number) - v * v;
      sum += ((2 * u * v + c1) * (2 * covariance + c2)) / ((u * u + v * v + c1) * (variances + c2));
      count += 1;
    }
  }
  return sum / count;
}

/** What became of the pixels that the exact edit leaves as they are. */
export interface Kept {
  /** Share of the picture's pixels that should stay. */
  readonly share: number;
  /** Mean difference of them from the source, in levels of 255. */
  readonly levels: number;
}

/** Pixels count as "should stay" where no channel of the target is more than half a level away from the source. */
export function kept(source: Picture, target: Picture, result: Picture): Kept {
  const count = source.width * source.height;
  let staying = 0;
  let sum = 0;
  for (let pixel = 0; pixel < count; pixel++) {
    let moved = 0;
    let apart = 0;
    for (let channel = 0; channel < 3; channel++) {
      const index = channel * count + pixel;
      const own = source.values[index] as number;
      moved = Math.max(moved, Math.abs((target.values[index] as number) - own));
      apart += Math.abs((result.values[index] as number) - own);
    }
    if (moved > 0.5 / 255) continue;
    staying += 1;
    sum += apart / 3;
  }
  return { share: staying / count, levels: staying === 0 ? 0 : (255 * sum) / staying };
}

/** How the fine structure of the result lies against that of the exact target. */
export interface Structure {
  /** Length of the shift between the two in pixels, by least squares over the gradients. */
  readonly shift: number;
  /** Fine contrast (sum of absolute gradients) of the result over the target's: under 1 is blurred. */
  readonly sharpness: number;
}

export function structure(target: Picture, result: Picture): Structure {
  const { width, height } = target;
  const [wanted, got] = [luma(target), luma(result)];
  let [xx, yy, xy, xt, yt, fine, own] = [0, 0, 0, 0, 0, 0, 0];
  for (let row = 1; row < height - 1; row++) {
    for (let column = 1; column < width - 1; column++) {
      const index = row * width + column;
      const gx = ((wanted[index + 1] as number) - (wanted[index - 1] as number)) / 2;
      const gy = ((wanted[index + width] as number) - (wanted[index - width] as number)) / 2;
      const difference = (got[index] as number) - (wanted[index] as number);
      xx += gx * gx;
      yy += gy * gy;
      xy += gx * gy;
      xt += gx * difference;
      yt += gy * difference;
      fine += Math.abs(gx) + Math.abs(gy);
      own +=
        Math.abs((got[index + 1] as number) - (got[index - 1] as number)) / 2 +
        Math.abs((got[index + width] as number) - (got[index - width] as number)) / 2;
    }
  }
  const determinant = xx * yy - xy * xy;
  const shift = determinant < 1e-9 ? 0 : Math.hypot(yy * xt - xy * yt, xx * yt - xy * xt) / determinant;
  return { shift, sharpness: fine === 0 ? 1 : own / fine };
}
