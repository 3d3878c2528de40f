import { clippedEnds } from './clipped-ends.js';
import { type ColorGrade, GRADE_WEIGHTS, KNOTS } from './color-grade.js';
import { nodePosition } from './color-grid.js';
import { CHANGE, EDIT, type EditCells, interior, LINEAR, LUMA, OWN } from './edit-cells.js';
import { createWeightsFit } from './fit-grade-weights.js';
import { fitShares } from './fit-shares.js';
import type { Fit } from './fit-whole-edit.js';
import type { WorkingPlane } from './working-plane.js';

/** Rounds of weighing the bends anew: of a grade that starts, and of one that goes on. */
const FIRST_ROUNDS = 6;
const FURTHER_ROUNDS = 2;
/** Rounds of fitting a grade to what it does to the autoencoder's errors. */
const CARRYING_ROUNDS = 2;
/** What a grade does to errors is the slope of its change that this share of the cells does not exceed, at the steepest that of a negative. */
const EVENED = 0.9;
const STEEPEST = -2;
/** Rounds of fitting the shares to the grade and the grade to the shares. */
const ROUNDS = 8;

interface Problem {
  readonly columns: number;
  readonly rows: number;
  /** Of each channel, the means of the features in each cell, [cells, GRADE_WEIGHTS]. */
  readonly features: readonly Float64Array[];
  /** Of each channel, what the edit changed in each cell. */
  readonly changes: readonly Float64Array[];
  /** Of each channel, what the autoencoder gets wrong in each cell. */
  readonly errors: readonly Float64Array[];
}

/** Grades of an edit. */
export interface GradeFits {
  /** With the same share everywhere. */
  readonly even: Fit<ColorGrade>;
  /** With shares of its own for each place: goes on from the even one, and fits the shares to the grade and the grade to the shares. */
  shared(): Generator<void, Fit<ColorGrade>>;
}

/** Fits grades to an edit. */
export function* fitGrades(cells: EditCells): Generator<void, GradeFits> {
  const problem = problemOf(cells);
  const fitWeights = createWeightsFit(problem.features);
  const all = new Float64Array(problem.columns * problem.rows).fill(1);
  const first = fitWeights(all, problem.changes, FIRST_ROUNDS);
  let [weights, changes] = [first, problem.changes];
  for (let round = 0; round < CARRYING_ROUNDS; round++) {
    yield;
    changes = withoutCarried(problem, weights);
    weights = fitWeights(all, changes, FURTHER_ROUNDS);
  }
  return {
    even: {
      change: { weights: withClippedEnds(weights), share: undefined },
      misfit: misfit({ ...problem, changes }, all, weights),
    },
    *shared() {
      let [shares, weights] = [all, first];
      for (let round = 0; round < ROUNDS; round++) {
        yield;
        shares = fitShares({ ...problem, grades: graded(problem, weights) });
        yield;
        weights = fitWeights(shares, problem.changes, FURTHER_ROUNDS);
      }
      return {
        change: { weights: withClippedEnds(weights), share: atWorkingSize(cells, shares) },
        misfit: misfit(problem, shares, weights),
      };
    },
  };
}

/** Gives tones that a grade leads close to black or white what they lack of it. */
function withClippedEnds(weights: Float64Array): Float32Array {
  const mended = Float32Array.from(weights);
  const curves = [0, 1, 2].map((channel) =>
    grayCurve(weights, channel).map((change, knot) => change + knot / (KNOTS - 1)),
  );
  for (const [channel, lacking] of clippedEnds(curves).entries())
    for (const [knot, value] of lacking.entries()) mended[channel * GRADE_WEIGHTS + knot]! += value;
  return mended;
}

function problemOf({ lattice }: EditCells): Problem {
  const { columns, rows } = lattice;
  const starts = [...interior(lattice)];
  const { values } = lattice;
  const features = [0, 1, 2].map((channel) => {
    const own = OWN + channel * KNOTS;
    const means = new Float64Array(starts.length * GRADE_WEIGHTS);
    for (const [cell, start] of starts.entries()) {
      const to = cell * GRADE_WEIGHTS;
      means.set(values.subarray(start + LUMA, start + LUMA + KNOTS), to);
      means.set(values.subarray(start + own, start + own + KNOTS), to + KNOTS);
      means.set(values.subarray(start + LINEAR, start + LINEAR + 3), to + 2 * KNOTS);
    }
    return means;
  });
  const changes = [0, 1, 2].map((channel) => Float64Array.from(starts, (start) => values[start + CHANGE + channel]!));
  // An edit less what it changed is the source through the autoencoder.
  const errors = [0, 1, 2].map((channel) =>
    Float64Array.from(
      starts,
      (start, cell) => values[start + EDIT + channel]! - changes[channel]![cell]! - values[start + LINEAR + channel]!,
    ),
  );
  return { columns: columns - 2, rows: rows - 2, features, changes, errors };
}

/** What a grade of given weights changes in each cell where its share is whole, of each channel. */
function graded({ features, changes }: Problem, weights: Float64Array): Float64Array[] {
  return changes.map((change, channel) =>
    change.map((_, cell) => {
      let sum = 0;
      for (let i = 0; i < GRADE_WEIGHTS; i++)
        sum += features[channel]![cell * GRADE_WEIGHTS + i]! * weights[channel * GRADE_WEIGHTS + i]!;
      return sum;
    }),
  );
}

/**
 * What an edit changed, less what a grade did to the errors that the autoencoder had made before: of each channel
 *
 *     change - min(slope of the grade's change, 0) . error
 *
 * A grade that evens out all tones, or turns them over, does so with the errors. One that sets tones apart does not: a model does not
 * know what is lost.
 */
function withoutCarried({ features, changes, errors }: Problem, weights: Float64Array): Float64Array[] {
  return changes.map((change, channel) => {
    const slopes = slopesOf(grayCurve(weights, channel));
    const inCells = change.map((_, cell) => {
      let sum = 0;
      for (const [knot, slope] of slopes.entries()) sum += slope * features[channel]![cell * GRADE_WEIGHTS + knot]!;
      return sum;
    });
    const slope = Math.min(Math.max(inCells.sort()[Math.floor(EVENED * inCells.length)]!, STEEPEST), 0);
    return change.map((value, cell) => value - slope * errors[channel]![cell]!);
  });
}

/** What a grade changes in a channel of gray tones, at the knots. */
function grayCurve(weights: Float64Array, channel: number): Float64Array {
  const start = channel * GRADE_WEIGHTS;
  const [own, linear] = [start + KNOTS, start + 2 * KNOTS];
  const slope = weights[linear]! + weights[linear + 1]! + weights[linear + 2]!;
  return Float64Array.from(
    { length: KNOTS },
    (_, knot) => (slope * knot) / (KNOTS - 1) + weights[start + knot]! + weights[own + knot]!,
  );
}

/** Slopes of a curve at its knots. */
function slopesOf(curve: Float64Array): Float64Array {
  return curve.map((_, knot) => {
    const [from, to] = [Math.max(knot - 1, 0), Math.min(knot + 1, KNOTS - 1)];
    return ((curve[to]! - curve[from]!) / (to - from)) * (KNOTS - 1);
  });
}

function misfit(problem: Problem, shares: Float64Array, weights: Float64Array): number {
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
