import type { ColorGrade } from './color-grade.js';
import type { ColorGrid } from './color-grid.js';
import type { Pictures } from './content-change.js';
import type { DetailCurve } from './detail-curve.js';
import { editCells, meanSquares } from './edit-cells.js';
import { fitColorGrade } from './fit-color-grade.js';
import { fitDetailCurve } from './fit-detail-curve.js';

/** A change that explains an edit, and the squared error it leaves, mean over cells and channels. */
export interface Fit<Change> {
  readonly change: Change;
  readonly misfit: number;
}

/**
 * What a change may leave of an edit, as a share of what the grid leaves, to be taken in its place. The grid has a thousand times as many
 * numbers and follows the model's errors from place to place; one change for the whole picture cannot, and averages them out.
 */
const EVEN = 1;
const SHARED = 0.8;
/** The same for a curve of detail, as a share of what either leaves. */
const DETAIL = 0.7;
/**
 * Where the grid leaves this much (mean square, of 1), the edit bends more sharply than changes that are affine in a window can, or is no
 * change of colours. It is the former where one grade leaves less than a twentieth of what changed: then that may leave more than the grid.
 */
const POOR_GRID = 1e-4;
const EVEN_FOR_POOR_GRID = 1.7;
const UNEXPLAINED = 1 / 20;
/** Shares are taken where they leave less than this of what one share for all leaves: else they too follow errors. */
const UNEVEN = 1 / 3;

/** A change of the whole picture that explains the edit at least as well as the grid does; undefined where there is none. */
export function* fitWholeEdit(
  pictures: Pictures,
  grid: ColorGrid,
): Generator<void, ColorGrade | DetailCurve | undefined> {
  const cells = yield* editCells(pictures, grid);
  const { changed, left } = meanSquares(cells);
  const { even, shared } = yield* fitColorGrade(cells);
  yield;
  const bends = left >= POOR_GRID && even.misfit < UNEXPLAINED * changed;
  const grade =
    shared.misfit < UNEVEN * even.misfit
      ? { ...shared, allowed: SHARED }
      : { ...even, allowed: bends ? EVEN_FOR_POOR_GRID : EVEN };
  const detail = fitDetailCurve(cells);
  if (detail.misfit < DETAIL * Math.min(left, grade.misfit)) return detail.change;
  return grade.misfit < grade.allowed * left ? grade.change : undefined;
}
