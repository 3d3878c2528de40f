import { AFFINE, type ColorGrid, LUMA_BINS, luma, NODE } from './color-grid.js';
import type { Planes } from './planes.js';
import { smoothedFields } from './smoothed-fields.js';

/** Every pixel counts this much in every bin, so that a bin without pixels takes the mean change round it. */
const LEAST_WEIGHT = 1e-4;
/** Added to the variances: without contrast to fit, the matrix fades to zero and the offset alone remains. */
const RIDGE = 1e-3;
/** Standard deviation of the Gaussian as a share of the working width. */
const DEVIATION = 1 / 12;
/** Nodes a standard deviation; more change the result by less than a tenth of a level. */
const NODES_A_DEVIATION = 6;

// Fields of one bin: weight w, w a (3), w d (3), w a a' (upper triangle: 6), w a d' (9).
const FIELDS = 22;
const DRIFT = 4;
const SQUARES = 7;
const PRODUCTS = 13;
/** Index of the field w a_i a_j. */
const SQUARE = [7, 8, 9, 8, 10, 11, 9, 11, 12] as const;

/** Standard deviation of the fit's window, in pixels of the working picture. */
export function windowDeviation(width: number): number {
  return width * DEVIATION;
}

/** Pixels between two nodes of a lattice that serves a window of that size. */
export function nodeSpacing(width: number): number {
  return Math.max(1, Math.floor(windowDeviation(width) / NODES_A_DEVIATION));
}

export interface FitOptions {
  /** The picture before: the source through the autoencoder. */
  readonly before: Planes;
  /** The picture after, of the same size: the edit, decoded. */
  readonly after: Planes;
  /** How much each pixel counts, 0..1, at working size; all of them by default. */
  readonly weight?: Float32Array | Float64Array | undefined;
  /** Pixels between two nodes; by default about a sixth of the window's standard deviation. */
  readonly spacing?: number | undefined;
}

/**
 * Fits, round every node and for every bin of luma, the affine colour change from one picture to the other.
 *
 *     d = after - before,  L = luma(before),  w_k = max(0, 1 - |5 L - k|) + 1e-4                 k = 0..5
 *     G: Gaussian, sd = width / 12;  m = G w,  mu_a = G(w a) / m,  mu_d = G(w d) / m
 *     C_aa = G(w a a') / m - mu_a mu_a',  C_ad = G(w a d') / m - mu_a mu_d'
 *     A = (C_aa + 1e-3 I)^-1 C_ad,  beta = mu_d - mu_a A
 *
 * A local linear model as in "Guided Image Filtering" (He et al. 2013), with colours as the guide and the luma axis of
 * "Real-time Edge-Aware Image Processing with the Bilateral Grid" (Chen et al. 2007).
 */
export function* fitColorGrid(options: FitOptions): Generator<void, ColorGrid> {
  const { before, after, weight } = options;
  const { width, height } = before;
  const spacing = options.spacing ?? nodeSpacing(width);
  const area = width * height;
  const fields = new Float64Array(FIELDS);
  const { columns, rows, values } = yield* smoothedFields({
    width,
    height,
    spacing,
    deviation: windowDeviation(width),
    // The last block takes what no bin takes: luma out of range, and pixels that count less.
    fields: (LUMA_BINS + 1) * FIELDS,
    add(x, y, sums, offset) {
      const pixel = y * width + x;
      pixelFields(before.values, after.values, pixel, area, fields);
      const position = 5 * luma(fields[1]!, fields[2]!, fields[3]!);
      const bin = Math.floor(position);
      const share = weight === undefined ? 1 : weight[pixel]!;
      const upper = (position - bin) * share;
      const lower = share - upper;
      if (share === 1 && bin >= 0 && bin < LUMA_BINS - 1)
        return addToBoth(sums, offset + bin * FIELDS, fields, lower, upper);
      const takesLower = bin >= 0 && bin < LUMA_BINS;
      const takesUpper = bin >= -1 && bin < LUMA_BINS - 1;
      if (takesLower) addFields(sums, offset + bin * FIELDS, fields, lower);
      if (takesUpper) addFields(sums, offset + (bin + 1) * FIELDS, fields, upper);
      const taken = (takesLower ? lower : 0) + (takesUpper ? upper : 0);
      addFields(sums, offset + LUMA_BINS * FIELDS, fields, 1 - taken);
    },
  });
  const coefficients = new Float32Array(columns * rows * NODE);
  const affine = new Float64Array(AFFINE);
  for (let node = 0; node < columns * rows; node++) {
    const start = node * (LUMA_BINS + 1) * FIELDS;
    // Every pixel, counted once: the weights of the bins sum to 1.
    const everywhere = values.slice(start + LUMA_BINS * FIELDS, start + (LUMA_BINS + 1) * FIELDS);
    for (let bin = 0; bin < LUMA_BINS; bin++) addFields(everywhere, 0, values.subarray(start + bin * FIELDS), 1);
    for (let bin = 0; bin < LUMA_BINS; bin++) {
      const moments = values.subarray(start + bin * FIELDS, start + (bin + 1) * FIELDS);
      addFields(moments, 0, everywhere, LEAST_WEIGHT);
      solveAffine(moments, affine);
      coefficients.set(affine, node * NODE + bin * AFFINE);
    }
    if (node % columns === 0) yield;
  }
  return { width, height, spacing, columns, rows, firstRow: 0, coefficients };
}

function pixelFields(before: Float32Array, after: Float32Array, pixel: number, area: number, to: Float64Array): void {
  const red = before[pixel]! * 0.5 + 0.5;
  const green = before[area + pixel]! * 0.5 + 0.5;
  const blue = before[2 * area + pixel]! * 0.5 + 0.5;
  to[0] = 1;
  to[1] = red;
  to[2] = green;
  to[3] = blue;
  to[SQUARES] = red * red;
  to[SQUARES + 1] = red * green;
  to[SQUARES + 2] = red * blue;
  to[SQUARES + 3] = green * green;
  to[SQUARES + 4] = green * blue;
  to[SQUARES + 5] = blue * blue;
  for (let channel = 0; channel < 3; channel++) {
    const index = channel * area + pixel;
    const drift = (after[index]! - before[index]!) * 0.5;
    to[DRIFT + channel] = drift;
    to[PRODUCTS + channel] = red * drift;
    to[PRODUCTS + 3 + channel] = green * drift;
    to[PRODUCTS + 6 + channel] = blue * drift;
  }
}

function addFields(to: Float64Array, offset: number, fields: Float64Array, factor: number): void {
  for (let field = 0; field < FIELDS; field++) to[offset + field]! += factor * fields[field]!;
}

/** Adds to a bin and to the next one. */
function addToBoth(to: Float64Array, offset: number, fields: Float64Array, lower: number, upper: number): void {
  for (let field = 0; field < FIELDS; field++) {
    const value = fields[field]!;
    to[offset + field]! += lower * value;
    to[offset + FIELDS + field]! += upper * value;
  }
}

/** The affine change of least squared error for weighted sums of the fields above. */
function solveAffine(moments: Float64Array, affine: Float64Array): void {
  const sum = moments[0]!;
  const mean = (field: number): number => moments[field]! / sum;
  const covariance = (i: number, j: number): number => mean(SQUARE[i * 3 + j]!) - mean(1 + i) * mean(1 + j);
  const xx = covariance(0, 0) + RIDGE;
  const yy = covariance(1, 1) + RIDGE;
  const zz = covariance(2, 2) + RIDGE;
  const xy = covariance(0, 1);
  const xz = covariance(0, 2);
  const yz = covariance(1, 2);
  // Inverse of the symmetric matrix by its cofactors; the ridge keeps the determinant above 1e-9.
  const cofactors = [
    yy * zz - yz * yz,
    xz * yz - xy * zz,
    xy * yz - xz * yy,
    xx * zz - xz * xz,
    xy * xz - xx * yz,
    xx * yy - xy * xy,
  ];
  const determinant = xx * cofactors[0]! + xy * cofactors[1]! + xz * cofactors[2]!;
  for (let to = 0; to < 3; to++) {
    const drift = mean(DRIFT + to);
    const cross = [0, 1, 2].map((from) => mean(PRODUCTS + from * 3 + to) - mean(1 + from) * drift);
    let offset = drift;
    for (let from = 0; from < 3; from++) {
      let value = 0;
      for (let k = 0; k < 3; k++) value += cofactors[SQUARE[from * 3 + k]! - SQUARES]! * cross[k]!;
      value /= determinant;
      affine[from * 3 + to] = value;
      offset -= mean(1 + from) * value;
    }
    affine[9 + to] = offset;
  }
}
