import type { ColorGrade } from './color-grade.js';
import type { ColorGrid } from './color-grid.js';
import type { Pictures } from './content-change.js';
import { DETAIL_KNOTS, type DetailCurve, detailPosition } from './detail-curve.js';
import { editCells, meanSquares } from './edit-cells.js';
import { fitGrades } from './fit-color-grade.js';
import { fitDetailCurve } from './fit-detail-curve.js';

/** A change that explains an edit, and the squared error it leaves, mean over cells and channels. */
export interface Fit<Change> {
  readonly change: Change;
  readonly misfit: number;
}

/**
 * A change that explains all of an edit may leave this many times as much as the grid does, one that explains a half half as many times. The
 * grid has a thousand times as many numbers and follows the model's errors from place to place; one change for the whole picture cannot,
 * and averages them out.
 */
const ALLOWED = 3;
/** A curve of detail is taken before a grade where it leaves less than this share of what that leaves... */
const CLEARER = 0.8;
/**
 * ...and draws lines of one kind on paper: it goes one way (back goes less than this share of the rest), and what is no other than its
 * surroundings is so close to white or black. Else it follows errors.
 */
const BACK = 0.1;
const PAPER = 0.3;
/** Shares are taken where they leave less than this of what one for all leaves: else they too follow errors. */
const UNEVEN = 1 / 3;

/**
 * A change of the whole picture that explains about as much of the edit as the grid does; undefined where there is none.
 * @param patch pixels along a side of what one latent stands for
 */
export function* fitWholeEdit(
  pictures: Pictures,
  grid: ColorGrid,
  patch: number,
): Generator<void, ColorGrade | DetailCurve | undefined> {
  const cells = yield* editCells(pictures, grid, patch);
  const { changed, left } = meanSquares(cells);
  const fits = yield* fitGrades(cells);
  let grade: Fit<ColorGrade> = fits.even;
  if (grade.misfit > left) {
    yield;
    grade = (yield* fits.shared(UNEVEN * grade.misfit)) ?? grade;
  }
  yield;
  const detail = fitDetailCurve(cells);
  const hasLines = detail.misfit < CLEARER * grade.misfit && drawsLines(detail.change);
  const whole = hasLines ? detail : grade;
  const allowed = Math.max(ALLOWED * (1 - whole.misfit / changed), 1) * left;
  return whole.misfit < allowed ? whole.change : undefined;
}

/** Whether a curve of detail is that of a line effect: see `BACK` and `PAPER`. */
function drawsLines({ knots }: DetailCurve): boolean {
  const gray = Array.from(
    { length: DETAIL_KNOTS },
    (_, knot) => (knots[knot * 3]! + knots[knot * 3 + 1]! + knots[knot * 3 + 2]!) / 3,
  );
  let [up, down] = [0, 0];
  for (const [knot, value] of gray.entries()) {
    const step = value - (gray[knot - 1] ?? value);
    up += Math.max(step, 0);
    down += Math.max(-step, 0);
  }
  const paper = gray[Math.round(detailPosition(1, 1))]!;
  return Math.min(up, down) <= BACK * Math.max(up, down) && Math.min(Math.abs(paper), Math.abs(1 - paper)) <= PAPER;
}
