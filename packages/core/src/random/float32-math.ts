/**
 * Logarithm, sine and cosine in float32 with Cephes' polynomials (S. L. Moshier, netlib.org/cephes, `logf.c`, `sinf.c`), rounded
 * where torch's vectorised kernels round: those kernels fuse most of the products into the sums that follow them. Plain `Math.log` and
 * friends differ in the last bit of about every third number.
 */

const { fround } = Math;

/** Fused multiply-add of float32 values: the product of two is exact in a double, so only the sum is rounded. */
function fma(a: number, b: number, c: number): number {
  return fround(a * b + c);
}

const floats = (values: readonly number[]): Float32Array => Float32Array.from(values);

/** log(1 + x) ~ x - x^2 / 2 + x^3 * P(x), highest power first, and ln 2 in two parts of which the larger is short. */
const LOG = floats([
  7.0376836292e-2, -1.151461031e-1, 1.167699874e-1, -1.2420140846e-1, 1.4249322787e-1, -1.6668057665e-1,
  2.0000714765e-1, -2.4999993993e-1, 3.3333331174e-1,
]);
const LN2_LOW = fround(-2.1219444e-4);
const LN2_HIGH = 0.693359375;
const SQRT_HALF = fround(Math.SQRT1_2);

/** sin x ~ x + x^3 * S(x^2) and cos x ~ 1 - x^2 / 2 + x^4 * C(x^2) for |x| <= pi / 4. */
const SIN = floats([-1.9515295891e-4, 8.3321608736e-3, -1.6666654611e-1]);
const COS = floats([2.443315711809948e-5, -1.388731625493765e-3, 4.166664568298827e-2]);
const FOUR_OVER_PI = fround(4 / Math.PI);
/** -pi / 4 in three parts, the first two short enough that their small multiples are exact. */
const MINUS_QUARTER_PI = floats([-0.78515625, -2.4187564849853516e-4, -3.774894977445941e-8]);

function horner(coefficients: Float32Array, x: number): number {
  let y = coefficients[0]!;
  for (let i = 1; i < coefficients.length; i++) y = fma(y, x, coefficients[i]!);
  return y;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Natural logarithm of a normal positive float32. */
export function log32(value: number): number {
  scratch[0] = value;
  const word = scratchBits[0]!;
  let exponent = (word >>> 23) - 126;
  scratchBits[0] = (word & 0x007fffff) | 0x3f000000;
  let x = scratch[0]!;
  if (x < SQRT_HALF) {
    exponent -= 1;
    x = fround(fround(x - 1) + x);
  } else {
    x = fround(x - 1);
  }
  const square = fround(x * x);
  let y = fround(horner(LOG, x) * x);
  y = fma(y, square, fround(exponent * LN2_LOW));
  y = fround(y - square * 0.5);
  return fma(exponent, LN2_HIGH, fround(x + y));
}

/** Sine and cosine of a float32 from 0 to about 8000, written to `out[0]` and `out[1]`. */
export function sinCos32(angle: number, out: Float32Array): void {
  const octant = (Math.trunc(fround(angle * FOUR_OVER_PI)) + 1) & ~1;
  let x = angle;
  for (let i = 0; i < 3; i++) x = fma(octant, MINUS_QUARTER_PI[i]!, x);
  const square = fround(x * x);
  const cosine = fround(fma(fround(horner(COS, square) * square), square, -square * 0.5) + 1);
  const sine = fma(fround(horner(SIN, square) * square), x, x);
  const swapped = (octant & 2) !== 0;
  out[0] = (swapped ? cosine : sine) * ((octant & 4) === 0 ? 1 : -1);
  out[1] = (swapped ? sine : cosine) * (((octant - 2) & 4) === 0 ? -1 : 1);
}
