import type { ColorGrade } from './color-grade.js';
import type { ColorGrid } from './color-grid.js';
import type { Pictures } from './content-change.js';
import type { DetailCurve } from './detail-curve.js';
import { editCells, misfitOfGrid } from './edit-cells.js';
import { fitColorGrade } from './fit-color-grade.js';
import { fitDetailCurve } from './fit-detail-curve.js';

/** A change that explains an edit, and the squared error it leaves, summed over cells and channels. */
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
const DETAIL = 0.7;
/** Shares are taken where they leave less than this of what one share for all leaves: else they too follow errors. */
const UNEVEN = 1 / 3;

/** A change of the whole picture that explains the edit at least as well as the grid does; undefined where there is none. */
export function* fitWholeEdit(
  pictures: Pictures,
  grid: ColorGrid,
): Generator<void, ColorGrade | DetailCurve | undefined> {
  const cells = yield* editCells(pictures, grid);
  const limit = misfitOfGrid(cells);
  const { even, shared } = yield* fitColorGrade(cells);
  yield;
  const detail = fitDetailCurve(cells);
  const grade = shared.misfit < UNEVEN * even.misfit ? { ...shared, allowed: SHARED } : { ...even, allowed: EVEN };
  const best = [grade, { ...detail, allowed: DETAIL }].reduce((a, b) =>
    a.misfit / a.allowed <= b.misfit / b.allowed ? a : b,
  );
  return best.misfit < best.allowed * limit ? best.change : undefined;
}
