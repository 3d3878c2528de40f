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
const SHARED = 1.2;
const DETAIL = 0.7;
/**
 * Where the grid leaves this much (mean square, of 1), the model is less exact, or the edit bends more sharply than changes that are affine
 * in a window can. Then a change for the whole picture may leave more than the grid, if it is less than a tenth of what changed.
 */
const POOR_GRID = 7e-5;
const FOR_POOR_GRID = 2.2;
const UNEXPLAINED = 1 / 10;
/** A curve of detail is taken before a grade where it leaves less than this share of what that leaves. */
const CLEARER = 0.9;
/** Shares are taken where they leave less than this of what one share for all leaves: else they too follow errors. */
const UNEVEN = 1 / 3;

/** A change of the whole picture that explains the edit at least as well as the grid does; undefined where there is none. */
export function* fitWholeEdit(
  pictures: Pictures,
  grid: ColorGrid,
): Generator<void, ColorGrade | DetailCurve | undefined> {
  const cells = yield* editCells(pictures, grid);
  const { changed, left } = meanSquares(cells);
  const allowed = (misfit: number, share: number) =>
    left * (left >= POOR_GRID && misfit < UNEXPLAINED * changed ? FOR_POOR_GRID : share);
  const { even, shared } = yield* fitColorGrade(cells);
  yield;
  const uneven = shared.misfit < UNEVEN * even.misfit;
  const grade = uneven ? shared : even;
  const detail = fitDetailCurve(cells);
  if (detail.misfit < CLEARER * grade.misfit && detail.misfit < allowed(detail.misfit, DETAIL)) return detail.change;
  return grade.misfit < (uneven ? SHARED * left : allowed(grade.misfit, EVEN)) ? grade.change : undefined;
}
