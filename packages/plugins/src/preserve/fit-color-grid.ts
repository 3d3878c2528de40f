import { AFFINE, type ColorGrid, LUMA_BINS, luma, NODE } from './color-grid.js';
import { cellMeans, type Lattice, smoothCells } from './lattice.js';
import type { Planes } from './planes.js';

/** Every pixel counts this much in every bin, so that a bin without pixels takes the mean change round it. */
const LEAST_WEIGHT = 1e-4;
/** Added to the variances: without contrast to fit, the matrix fades to zero and the offset alone remains. */
const RIDGE = 1e-3;
/** Standard deviation of the Gaussian as a share of the working width. */
const DEVIATION = 1 / 12;
/** Nodes a standard deviation. Against one node a pixel the result moves by a few hundredths of a level (root mean square). */
const NODES_A_DEVIATION = 6;
/** The same where the result only serves a decision. */
const NODES_A_DEVIATION_COARSE = 4;

// Fields of one bin: weight w, w a (3), w d (3), w a a' (upper triangle: 6), w a d' (9).
const FIELDS = 22;
const DRIFT = 4;
const SQUARES = 7;
const PRODUCTS = 13;

/** Standard deviation of the fit's window, in pixels of the working picture. */
export function windowDeviation(width: number): number {
  return width * DEVIATION;
}

/** Pixels between two nodes of a lattice that serves a window of that size. */
export function nodeSpacing(width: number, precision: 'fine' | 'coarse'): number {
  const nodes = precision === 'fine' ? NODES_A_DEVIATION : NODES_A_DEVIATION_COARSE;
  return Math.max(1, Math.floor(windowDeviation(width) / nodes));
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
  const spacing = options.spacing ?? nodeSpacing(width, 'fine');
  const area = width * height;
  const fields = new Float64Array(FIELDS);
  const cells = yield* cellMeans({
    width,
    height,
    spacing,
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
  const window = { deviation: windowDeviation(width), spacing };
  const { columns, rows, values } = yield* smoothCells(spreadLeastWeight(cells), window);
  const coefficients = new Float32Array(columns * rows * NODE);
  const affine = new Float64Array(AFFINE);
  for (let node = 0; node < columns * rows; node++) {
    for (let bin = 0; bin < LUMA_BINS; bin++) {
      const start = (node * LUMA_BINS + bin) * FIELDS;
      solveAffine(values.subarray(start, start + FIELDS), affine);
      coefficients.set(affine, node * NODE + bin * AFFINE);
    }
    if (node % columns === 0) yield;
  }
  return { width, height, spacing, columns, rows, firstRow: 0, coefficients };
}

/** Adds LEAST_WEIGHT of every pixel, in whatever bin or in none, to all bins of its cell; what no bin took is then dropped. */
function spreadLeastWeight({ columns, rows, fields, values }: Lattice): Lattice {
  const kept = LUMA_BINS * FIELDS;
  const spread = new Float64Array(columns * rows * kept);
  const everything = new Float64Array(FIELDS);
  for (let node = 0; node < columns * rows; node++) {
    everything.fill(0);
    for (let i = 0; i < fields; i++) everything[i % FIELDS]! += values[node * fields + i]!;
    for (let i = 0; i < kept; i++) {
      spread[node * kept + i] = values[node * fields + i]! + LEAST_WEIGHT * everything[i % FIELDS]!;
    }
  }
  return { columns, rows, fields: kept, values: spread };
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
  const unit = 1 / moments[0]!;
  const red = moments[1]! * unit;
  const green = moments[2]! * unit;
  const blue = moments[3]! * unit;
  const rr = moments[SQUARES]! * unit - red * red + RIDGE;
  const rg = moments[SQUARES + 1]! * unit - red * green;
  const rb = moments[SQUARES + 2]! * unit - red * blue;
  const gg = moments[SQUARES + 3]! * unit - green * green + RIDGE;
  const gb = moments[SQUARES + 4]! * unit - green * blue;
  const bb = moments[SQUARES + 5]! * unit - blue * blue + RIDGE;
  // Inverse of the symmetric matrix by its cofactors; the ridge keeps the determinant above 1e-9.
  const invRR = gg * bb - gb * gb;
  const invRG = rb * gb - rg * bb;
  const invRB = rg * gb - rb * gg;
  const determinant = rr * invRR + rg * invRG + rb * invRB;
  const invGG = rr * bb - rb * rb;
  const invGB = rg * rb - rr * gb;
  const invBB = rr * gg - rg * rg;
  for (let channel = 0; channel < 3; channel++) {
    const drift = moments[DRIFT + channel]! * unit;
    const crossR = moments[PRODUCTS + channel]! * unit - red * drift;
    const crossG = moments[PRODUCTS + 3 + channel]! * unit - green * drift;
    const crossB = moments[PRODUCTS + 6 + channel]! * unit - blue * drift;
    const fromR = (invRR * crossR + invRG * crossG + invRB * crossB) / determinant;
    const fromG = (invRG * crossR + invGG * crossG + invGB * crossB) / determinant;
    const fromB = (invRB * crossR + invGB * crossG + invBB * crossB) / determinant;
    affine[channel] = fromR;
    affine[3 + channel] = fromG;
    affine[6 + channel] = fromB;
    affine[9 + channel] = drift - red * fromR - green * fromG - blue * fromB;
  }
}
