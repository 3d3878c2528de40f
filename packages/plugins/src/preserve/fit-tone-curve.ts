import { createColorChange } from './color-change.js';
import { type ColorGrid, luma } from './color-grid.js';
import type { Pictures } from './content-change.js';
import { gaussianBlur } from './gaussian-blur.js';
import { cellMeans, type Lattice } from './lattice.js';
import { readRow } from './picture-rows.js';
import { KNOTS, knotPosition, type Surround, type ToneCurve, type ToneGuide } from './tone-curve.js';

/** Standard deviation of what counts as the surroundings of a pixel, as a share of sqrt(width * height). */
const SURROUND = 0.015;
/** Cells along the side of a square picture. */
const CELLS = 26;
/** Weight of the curve's bends against its errors, both squared. */
const STIFFNESS = 3e-5;
const RIDGE = 1e-7;
/** A curve is taken when its squared misfit is this share of the grid's. */
const CLEARLY_BETTER = 0.7;

const GUIDES: readonly ToneGuide[] = ['luma', 'detail'];
/** Fields of a cell: weights of the knots for each guide, the edit, and what the grid leaves of it. */
const EDIT = GUIDES.length * KNOTS;
const LEFT = EDIT + 3;
const FIELDS = LEFT + 3;

/**
 * A curve that explains the edit better than the grid does; undefined where there is none.
 *
 * Pictures through the autoencoder have lost their finest structure, so a fit from pixel to pixel would soften every sharp step of a curve.
 * Means over cells of a few pixels are what the autoencoder keeps. The knots c are those whose curve, put on the *source* and averaged,
 * meets the averaged edit:
 *
 *     sum over cells of | mean(b) - sum_k mean(w_k(guide of s)) c_k |^2  +  stiffness |second differences of c|^2   ->  least
 *
 * The grid is judged by the same means.
 */
export function* fitToneCurve(pictures: Pictures, grid: ColorGrid): Generator<void, ToneCurve | undefined> {
  const { width, height } = pictures.before;
  const surround = yield* surroundOf(pictures);
  const cells = yield* edits(pictures, grid, surround);
  let least = CLEARLY_BETTER * misfitOfGrid(cells);
  let best: ToneCurve | undefined;
  for (const [place, guide] of GUIDES.entries()) {
    const knots = solveKnots(cells, place * KNOTS);
    const misfit = misfitOfCurve(cells, place * KNOTS, knots);
    yield;
    if (misfit >= least) continue;
    least = misfit;
    best = { guide, knots: Float32Array.from(knots), surround: { width, height, values: surround.values } };
  }
  return best;
}

function* surroundOf({ source }: Pictures): Generator<void, Surround> {
  const { width, height } = source;
  const light = new Float64Array(width * height);
  const row = new Float64Array(width * 3);
  for (let y = 0; y < height; y++) {
    readRow(source, y, row);
    for (let x = 0; x < width; x++) light[y * width + x] = luma(row[x * 3]!, row[x * 3 + 1]!, row[x * 3 + 2]!);
  }
  const blurred = yield* gaussianBlur({ width, height, values: light }, SURROUND * Math.sqrt(width * height));
  return { width, height, values: Float32Array.from(blurred.values) };
}

function* edits({ source, before, after }: Pictures, grid: ColorGrid, surround: Surround): Generator<void, Lattice> {
  const { width, height } = before;
  const colorChange = createColorChange(grid, before);
  const [s, a, b, change] = Array.from({ length: 4 }, () => new Float64Array(width * 3)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let current = -1;
  return yield* cellMeans({
    width,
    height,
    spacing: Math.max(1, Math.round(Math.sqrt(width * height) / CELLS)),
    fields: FIELDS,
    add(x, y, sums, offset) {
      if (y !== current) {
        current = y;
        readRow(source, y, s);
        readRow(before, y, a);
        readRow(after, y, b);
        colorChange.row(y, a, change);
      }
      const pixel = x * 3;
      const light = luma(s[pixel]!, s[pixel + 1]!, s[pixel + 2]!);
      for (const [place, guide] of GUIDES.entries()) {
        const position = knotPosition(guide, light, surround.values[y * width + x]!);
        const knot = Math.min(Math.floor(position), KNOTS - 2);
        sums[offset + place * KNOTS + knot]! += 1 - (position - knot);
        sums[offset + place * KNOTS + knot + 1]! += position - knot;
      }
      for (let channel = 0; channel < 3; channel++) {
        const edited = b[pixel + channel]!;
        sums[offset + EDIT + channel]! += edited;
        sums[offset + LEFT + channel]! += edited - a[pixel + channel]! - change[pixel + channel]!;
      }
    },
  });
}

/** Where the fields of each cell start; the nodes beyond the edges are left out. */
function* interior({ columns, rows, fields }: Lattice): Generator<number> {
  for (let row = 1; row < rows - 1; row++) {
    for (let column = 1; column < columns - 1; column++) yield (row * columns + column) * fields;
  }
}

function misfitOfGrid(cells: Lattice): number {
  let sum = 0;
  for (const start of interior(cells)) {
    for (let channel = 0; channel < 3; channel++) sum += cells.values[start + LEFT + channel]! ** 2;
  }
  return sum;
}

function misfitOfCurve(cells: Lattice, place: number, knots: Float64Array): number {
  let sum = 0;
  for (const start of interior(cells)) {
    for (let channel = 0; channel < 3; channel++) {
      let left = cells.values[start + EDIT + channel]!;
      for (let knot = 0; knot < KNOTS; knot++) left -= cells.values[start + place + knot]! * knots[knot * 3 + channel]!;
      sum += left ** 2;
    }
  }
  return sum;
}

/** Least squares for all three channels, [KNOTS, 3]. */
function solveKnots(cells: Lattice, place: number): Float64Array {
  const width = KNOTS + 3;
  const system = new Float64Array(KNOTS * width);
  let count = 0;
  for (const start of interior(cells)) {
    count++;
    for (let i = 0; i < KNOTS; i++) {
      const weight = cells.values[start + place + i]!;
      if (weight === 0) continue;
      for (let j = 0; j < KNOTS; j++) system[i * width + j]! += weight * cells.values[start + place + j]!;
      for (let channel = 0; channel < 3; channel++)
        system[i * width + KNOTS + channel]! += weight * cells.values[start + EDIT + channel]!;
    }
  }
  for (let i = 0; i < system.length; i++) system[i]! /= count;
  const bend = [1, -2, 1];
  for (let i = 0; i < KNOTS; i++) system[i * width + i]! += RIDGE;
  for (let first = 0; first < KNOTS - 2; first++) {
    for (let i = 0; i < 3; i++)
      for (let j = 0; j < 3; j++) system[(first + i) * width + first + j]! += STIFFNESS * bend[i]! * bend[j]!;
  }
  return eliminate(system, width);
}

/** Solves a symmetric positive definite system with three right-hand sides in place, by elimination. */
function eliminate(system: Float64Array, width: number): Float64Array {
  for (let pivot = 0; pivot < KNOTS; pivot++) {
    for (let row = pivot + 1; row < KNOTS; row++) {
      const factor = system[row * width + pivot]! / system[pivot * width + pivot]!;
      for (let column = pivot; column < width; column++)
        system[row * width + column]! -= factor * system[pivot * width + column]!;
    }
  }
  const knots = new Float64Array(KNOTS * 3);
  for (let row = KNOTS - 1; row >= 0; row--) {
    for (let channel = 0; channel < 3; channel++) {
      let value = system[row * width + KNOTS + channel]!;
      for (let column = row + 1; column < KNOTS; column++)
        value -= system[row * width + column]! * knots[column * 3 + channel]!;
      knots[row * 3 + channel] = value / system[row * width + row]!;
    }
  }
  return knots;
}
