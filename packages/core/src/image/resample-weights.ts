/** Interpolation kernels by name: how far they reach, in pixels of the coarser grid, and their value at a distance. */
const KERNELS = {
  bilinear: { reach: 1, at: (x: number) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { reach: 2, at: cubic },
  lanczos: { reach: 3, at: (x: number) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
} as const;

export type Kernel = keyof typeof KERNELS;

/** Keys' cubic convolution with a = -0.5 ("Cubic convolution interpolation for digital image processing", 1981). */
function cubic(distance: number): number {
  const a = -0.5;
  const x = Math.abs(distance);
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

function sinc(x: number): number {
  if (x === 0) return 1;
  return Math.sin(x * Math.PI) / (x * Math.PI);
}

/** Which pixels of a line make one output pixel, and by how much each. */
export interface ResampleWeights {
  /** First input pixel of every output pixel. */
  readonly starts: Int32Array;
  /** How many input pixels it takes. */
  readonly counts: Int32Array;
  /** Weights of output pixel i from `i * stride` on, in units of 2^-`precision`. */
  readonly weights: Int32Array;
  readonly stride: number;
  readonly precision: number;
}

/**
 * Weights that scale a line of `inputSize` pixels to `outputSize`; when it shrinks, the kernel is stretched so that every input pixel counts
 * (antialiasing). Computed in double, then rounded to fixed point: to 22 bits as Pillow does, or as torch does to as many as keep the
 * largest weight within 16 bits.
 */
export function resampleWeights(options: {
  inputSize: number;
  outputSize: number;
  kernel: Kernel;
  fixedPoint: 'pillow' | 'torch';
}): ResampleWeights {
  const { inputSize, outputSize, fixedPoint } = options;
  const kernel = KERNELS[options.kernel];
  const scale = inputSize / outputSize;
  const stretch = Math.max(scale, 1);
  const squeeze = 1 / stretch;
  const reach = kernel.reach * stretch;
  const stride = Math.ceil(reach) * 2 + 1;
  const starts = new Int32Array(outputSize);
  const counts = new Int32Array(outputSize);
  const exact = new Float64Array(outputSize * stride);
  let largest = 0;
  for (let i = 0; i < outputSize; i++) {
    const centre = (i + 0.5) * scale;
    const start = Math.max(0, Math.trunc(centre - reach + 0.5));
    const count = Math.min(inputSize, Math.trunc(centre + reach + 0.5)) - start;
    let sum = 0;
    for (let k = 0; k < count; k++) {
      const weight = kernel.at((k + start - centre + 0.5) * squeeze);
      exact[i * stride + k] = weight;
      sum += weight;
    }
    for (let k = i * stride; k < i * stride + count; k++) {
      if (sum !== 0) exact[k]! /= sum;
      largest = Math.max(largest, exact[k]!);
    }
    starts[i] = start;
    counts[i] = count;
  }
  const precision = fixedPoint === 'pillow' ? PILLOW_PRECISION : torchPrecision(largest);
  // Not `Int32Array.from`: it keeps every number as an object on its way.
  const weights = new Int32Array(exact.length);
  for (let k = 0; k < exact.length; k++) {
    const weight = exact[k]!;
    weights[k] = Math.trunc(weight * 2 ** precision + (weight < 0 ? -0.5 : 0.5));
  }
  return { starts, counts, weights, stride, precision };
}

/** 32 bits less 8 of the pixel, less 2 for overshoot. */
const PILLOW_PRECISION = 22;

/** The most bits, up to 22, with which the largest weight still fits a signed 16-bit word. */
function torchPrecision(largest: number): number {
  let precision = 0;
  while (precision < 22 && Math.trunc(0.5 + largest * 2 ** (precision + 1)) < 2 ** 15) precision += 1;
  return precision;
}
