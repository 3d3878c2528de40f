import { createColorChange } from './color-change.js';
import { axisPosition, KNOTS } from './color-grade.js';
import { type ColorGrid, luma } from './color-grid.js';
import type { Pictures } from './content-change.js';
import { DETAIL_KNOTS, detailPosition } from './detail-curve.js';
import { gaussianBlur } from './gaussian-blur.js';
import { cellMeans, type Lattice } from './lattice.js';
import { readRow } from './picture-rows.js';
import type { WorkingPlane } from './working-plane.js';

/** Standard deviation of what counts as the surroundings of a pixel, as a share of sqrt(width * height). */
const SURROUND = 0.015;
/** Cells along the side of a square picture, at most and at least: fewer would leave a grade undecided. */
const MOST_CELLS = 33;
const LEAST_CELLS = 10;

// Fields of a cell: weights of the detail's knots, features of a grade, mean colours.
export const DETAIL = 0;
/** Features of the source: knots of its luma, of each channel, and the channels. */
export const LUMA = DETAIL + DETAIL_KNOTS;
export const OWN = LUMA + KNOTS;
export const LINEAR = OWN + 3 * KNOTS;
/** The edit, what it changed, and what the grid leaves of that. */
export const EDIT = LINEAR + 3;
export const CHANGE = EDIT + 3;
export const LEFT = CHANGE + 3;
const FIELDS = LEFT + 3;

/**
 * What is known of an edit in cells of a few pixels.
 *
 * Pictures through the autoencoder have lost their finest structure, so a fit from pixel to pixel would soften every sharp step of a curve.
 * Means over what one latent stands for are what it keeps best: the mean of a function of the *source* is compared with the mean of the edit.
 */
export interface EditCells {
  readonly lattice: Lattice;
  /** Pixels between two nodes. */
  readonly spacing: number;
  readonly surround: WorkingPlane;
}

/** @param patch pixels along a side of what one latent stands for; cells are that large, or whole times if they became too many, or smaller if too few */
export function* editCells(pictures: Pictures, grid: ColorGrid, patch: number): Generator<void, EditCells> {
  const { source, before, after } = pictures;
  const { width, height } = before;
  const side = Math.sqrt(width * height);
  const spacing = Math.max(1, Math.min(patch * Math.ceil(side / patch / MOST_CELLS), Math.floor(side / LEAST_CELLS)));
  const surround = yield* surroundOf(pictures);
  const colorChange = createColorChange(grid, before);
  const [s, a, b, change] = Array.from({ length: 4 }, () => new Float64Array(width * 3)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  let current = -1;
  const lattice = yield* cellMeans({
    width,
    height,
    spacing,
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
      addKnots(sums, offset + DETAIL, detailPosition(light, surround.values[y * width + x]!), DETAIL_KNOTS);
      addKnots(sums, offset + LUMA, axisPosition(light, KNOTS), KNOTS);
      for (let channel = 0; channel < 3; channel++) {
        const own = s[pixel + channel]!;
        addKnots(sums, offset + OWN + channel * KNOTS, axisPosition(own, KNOTS), KNOTS);
        sums[offset + LINEAR + channel]! += own;
        const edited = b[pixel + channel]!;
        const changed = edited - a[pixel + channel]!;
        sums[offset + EDIT + channel]! += edited;
        sums[offset + CHANGE + channel]! += changed;
        sums[offset + LEFT + channel]! += changed - change[pixel + channel]!;
      }
    },
  });
  return { lattice, spacing, surround };
}

/** Where the fields of each cell start; the nodes beyond the edges are left out. */
export function* interior({ columns, rows, fields }: Lattice): Generator<number> {
  for (let row = 1; row < rows - 1; row++) {
    for (let column = 1; column < columns - 1; column++) yield (row * columns + column) * fields;
  }
}

/** Means of the fields over blocks of `side` by `side` cells; those at the right and lower edges may be smaller. */
export function blockMeans({ columns, rows, fields, values }: Lattice, side: number): Float64Array[] {
  const across = Math.ceil((columns - 2) / side);
  const sums = Array.from({ length: across * Math.ceil((rows - 2) / side) }, () => new Float64Array(fields));
  const counts = new Float64Array(sums.length);
  for (let row = 0; row < rows - 2; row++) {
    for (let column = 0; column < columns - 2; column++) {
      const block = Math.floor(row / side) * across + Math.floor(column / side);
      const start = ((row + 1) * columns + column + 1) * fields;
      counts[block]!++;
      for (let field = 0; field < fields; field++) sums[block]![field]! += values[start + field]!;
    }
  }
  return sums.map((sum, block) => sum.map((value) => value / counts[block]!));
}

/** Squares of what the edit changed and of what the grid leaves of it, means over cells and channels, of 1. */
export function meanSquares({ lattice }: EditCells): { changed: number; left: number } {
  let [changed, left, count] = [0, 0, 0];
  for (const start of interior(lattice)) {
    for (let channel = 0; channel < 3; channel++, count++) {
      changed += lattice.values[start + CHANGE + channel]! ** 2;
      left += lattice.values[start + LEFT + channel]! ** 2;
    }
  }
  return { changed: changed / count, left: left / count };
}

function addKnots(sums: Float64Array, offset: number, position: number, knots: number): void {
  const knot = Math.min(Math.floor(position), knots - 2);
  sums[offset + knot]! += 1 - (position - knot);
  sums[offset + knot + 1]! += position - knot;
}

function* surroundOf({ source }: Pictures): Generator<void, WorkingPlane> {
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
