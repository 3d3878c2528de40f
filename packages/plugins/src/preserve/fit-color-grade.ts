import { createAutoencoderErrors, type GradeSoFar } from './autoencoder-errors.js';
import { bendOf } from './bends.js';
import { clippedEnds } from './clipped-ends.js';
import { clippedLines } from './clipped-lines.js';
import { type ColorGrade, GRADE_WEIGHTS, grayCurve, KNOTS } from './color-grade.js';
import { nodePosition } from './color-grid.js';
import type { EditCells } from './edit-cells.js';
import { createWeightsFits, type Ties } from './fit-grade-weights.js';
import { fitShares } from './fit-shares.js';
import type { Fit } from './fit-whole-edit.js';
import { type GradeProblem, graded, gradeProblemOf } from './grade-problem.js';
import type { WorkingPlane } from './working-plane.js';

/** Rounds of weighing the bends anew: of a grade that starts, and of one that goes on. */
const FIRST_ROUNDS = 6;
const FURTHER_ROUNDS = 2;
/** Rounds of fitting a grade to what the edit changed without the autoencoder's errors, which the grade tells. */
const ERROR_ROUNDS = 2;
/** Rounds of fitting the shares to the grade and the grade to the shares: at first, and with each set of ties. */
const ROUNDS = 8;
const TYING_ROUNDS = 4;
/** Ties that are tried, in turn, and kept where they leave less than this many times as much. */
const TIES: readonly Ties[] = [
  { black: true, white: false },
  { black: true, white: true },
];
const TYING_COSTS = 1.1;

/** Grades of an edit. */
export interface GradeFits {
  /** With the same share everywhere. */
  readonly even: Fit<ColorGrade>;
  /**
   * With shares of its own for each place: goes on from the even one, and fits the shares to the grade and the grade to the shares. Of
   * grades that do about as well, it is the one that leaves black and white as they are: small shares of a large change and large shares
   * of a small one differ at the tones of which there are few.
   * @param most undefined is given where the grade leaves as much as this, or more
   */
  shared(most: number): Generator<void, Fit<ColorGrade> | undefined>;
}

/** Fits grades to an edit. */
export function* fitGrades(cells: EditCells): Generator<void, GradeFits> {
  const problem = gradeProblemOf(cells);
  const startFit = createWeightsFits(problem.features);
  const fitWeights = startFit();
  const all = new Float64Array(problem.columns * problem.rows).fill(1);
  const first = fitWeights({ shares: all, changes: problem.changes, rounds: FIRST_ROUNDS });
  yield;
  const errors = createAutoencoderErrors(problem, (changes) =>
    startFit()({ shares: all, changes, rounds: FIRST_ROUNDS }),
  );
  let [weights, changes] = [first, problem.changes];
  for (let round = 0; round < ERROR_ROUNDS; round++) {
    yield;
    changes = errors.withoutAll({ weights, shares: all });
    weights = fitWeights({ shares: all, changes, rounds: FURTHER_ROUNDS });
  }

  function* fitShared(
    from: SharedGrade,
    { rounds, ties }: { rounds: number; ties?: Ties },
  ): Generator<void, SharedGrade> {
    let { weights, shares, changes } = from;
    for (let round = 0; round < rounds; round++) {
      yield;
      shares = fitShares({ ...problem, changes, grades: graded(problem, weights) });
      yield;
      changes = errors.withoutTones({ weights, shares });
      weights = fitWeights({ shares, changes, rounds: FURTHER_ROUNDS, ...(ties && { ties }) });
    }
    return { weights, shares, changes, misfit: misfit({ ...problem, changes }, { weights, shares }) };
  }

  return {
    even: {
      change: { weights: withClippedEnds(weights), share: undefined },
      misfit: misfit({ ...problem, changes }, { weights, shares: all }),
    },
    *shared(most) {
      const start = { weights: first, shares: all, changes: problem.changes, misfit: Number.POSITIVE_INFINITY };
      let best = yield* fitShared(start, { rounds: ROUNDS });
      if (best.misfit >= most) return undefined;
      for (const ties of TIES) {
        const tied = yield* fitShared(best, { rounds: TYING_ROUNDS, ties });
        if (tied.misfit < Math.min(TYING_COSTS * best.misfit, most)) best = tied;
      }
      return {
        change: { weights: withClippedEnds(best.weights), share: atWorkingSize(cells, best.shares) },
        misfit: best.misfit,
      };
    },
  };
}

interface SharedGrade extends GradeSoFar {
  /** What the edit changed, less the autoencoder's errors that the grade tells. */
  readonly changes: readonly Float64Array[];
  readonly misfit: number;
}

/** Gives tones that a grade leads to black or white, or close to it, what they lack of it. */
function withClippedEnds(weights: Float64Array): Float32Array {
  const mended = weights.slice();
  const add = (start: number, lacking: readonly Float64Array[]): void => {
    for (const [channel, values] of lacking.entries())
      for (const [knot, value] of values.entries()) mended[channel * GRADE_WEIGHTS + start + knot]! += value;
  };
  add(mostBentCurve(weights), clippedLines(resultsOfGray(mended)));
  add(0, clippedEnds(resultsOfGray(mended)));
  return Float32Array.from(mended);
}

/** What a grade leads gray tones to, at the knots, [channels][knots]. */
function resultsOfGray(weights: Float64Array): Float64Array[] {
  return [0, 1, 2].map((channel) => grayCurve(weights, channel).map((change, knot) => change + knot / (KNOTS - 1)));
}

/** Where those curves start among the weights of a channel, over luma or over own values, that bend more. */
function mostBentCurve(weights: Float64Array): number {
  const bent = (start: number): number => {
    let sum = 0;
    for (let channel = 0; channel < 3; channel++)
      for (let knot = 0; knot < KNOTS - 2; knot++)
        sum += Math.abs(bendOf(weights, channel * GRADE_WEIGHTS + start + knot));
    return sum;
  };
  return bent(0) > bent(KNOTS) ? 0 : KNOTS;
}

function misfit(problem: GradeProblem, { weights, shares }: GradeSoFar): number {
  let sum = 0;
  for (const [channel, grade] of graded(problem, weights).entries()) {
    for (const [cell, change] of problem.changes[channel]!.entries())
      sum += (change - shares[cell]! * grade[cell]!) ** 2;
  }
  return sum / (3 * shares.length);
}

/** Linear between the middles of the cells. */
function atWorkingSize({ lattice, spacing, surround }: EditCells, shares: Float64Array): WorkingPlane {
  const { width, height } = surround;
  const columns = lattice.columns - 2;
  const rows = lattice.rows - 2;
  const share = (row: number, column: number): number =>
    shares[clamped(row - 1, rows) * columns + clamped(column - 1, columns)]!;
  const values = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const down = nodePosition(y, height, { size: height, spacing, nodes: lattice.rows });
    for (let x = 0; x < width; x++) {
      const along = nodePosition(x, width, { size: width, spacing, nodes: lattice.columns });
      const at = (row: number): number =>
        share(row, along.node) + along.fraction * (share(row, along.node + 1) - share(row, along.node));
      values[y * width + x] = at(down.node) + down.fraction * (at(down.node + 1) - at(down.node));
    }
  }
  return { width, height, values };
}

function clamped(index: number, count: number): number {
  return Math.min(Math.max(index, 0), count - 1);
}
