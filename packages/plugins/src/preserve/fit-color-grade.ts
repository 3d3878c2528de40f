import { clippedEnds } from './clipped-ends.js';
import { type ColorGrade, GRADE_WEIGHTS, KNOTS } from './color-grade.js';
import { nodePosition } from './color-grid.js';
import { CHANGE, type EditCells, interior, LINEAR, type OF_BEFORE, type OF_SOURCE, OWN } from './edit-cells.js';
import { createWeightsFit, type WeightsProblem } from './fit-grade-weights.js';
import { fitShares } from './fit-shares.js';
import type { Fit } from './fit-whole-edit.js';
import type { WorkingPlane } from './working-plane.js';

/** Rounds of weighing the bends anew: of a grade that starts, and of one that goes on. */
const FIRST_ROUNDS = 6;
const FURTHER_ROUNDS = 2;
/** Rounds of fitting the shares to the grade and the grade to the shares. */
const ROUNDS = 8;

interface Problem extends WeightsProblem {
  readonly columns: number;
  readonly rows: number;
}

/** Grades of an edit. */
export interface GradeFits {
  /** With the same share everywhere. */
  readonly even: Fit<ColorGrade>;
  /** With shares of its own for each place: goes on from the even one, and fits the shares to the grade and the grade to the shares. */
  shared(): Generator<void, Fit<ColorGrade>>;
}

/**
 * Fits grades to an edit.
 * @param of the features: of the source, which sharp curves need, or of the source through the autoencoder, which colours need that
 *   it does not reach
 */
export function fitGrades(cells: EditCells, of: typeof OF_SOURCE | typeof OF_BEFORE): GradeFits {
  const problem = problemOf(cells, of);
  const fitWeights = createWeightsFit(problem);
  const all = new Float64Array(problem.columns * problem.rows).fill(1);
  const first = fitWeights(all, FIRST_ROUNDS);
  return {
    even: { change: { weights: withClippedEnds(first), share: undefined }, misfit: misfit(problem, all, first) },
    *shared() {
      let [shares, weights] = [all, first];
      for (let round = 0; round < ROUNDS; round++) {
        yield;
        shares = fitShares({ ...problem, grades: graded(problem, weights) });
        yield;
        weights = fitWeights(shares, FURTHER_ROUNDS);
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
  const curves = [0, 1, 2].map((channel) => {
    const start = channel * GRADE_WEIGHTS;
    const [own, linear] = [start + KNOTS, start + 2 * KNOTS];
    const slope = 1 + weights[linear]! + weights[linear + 1]! + weights[linear + 2]!;
    const gray = (knot: number) => (slope * knot) / (KNOTS - 1) + weights[start + knot]! + weights[own + knot]!;
    return Float64Array.from({ length: KNOTS }, (_, knot) => gray(knot));
  });
  for (const [channel, lacking] of clippedEnds(curves).entries())
    for (const [knot, value] of lacking.entries()) mended[channel * GRADE_WEIGHTS + knot]! += value;
  return mended;
}

function problemOf({ lattice }: EditCells, of: number): Problem {
  const { columns, rows } = lattice;
  const starts = [...interior(lattice)];
  const { values } = lattice;
  const features = [0, 1, 2].map((channel) => {
    const own = of + OWN + channel * KNOTS;
    const means = new Float64Array(starts.length * GRADE_WEIGHTS);
    for (const [cell, start] of starts.entries()) {
      const to = cell * GRADE_WEIGHTS;
      means.set(values.subarray(start + of, start + of + KNOTS), to);
      means.set(values.subarray(start + own, start + own + KNOTS), to + KNOTS);
      means.set(values.subarray(start + of + LINEAR, start + of + LINEAR + 3), to + 2 * KNOTS);
    }
    return means;
  });
  const changes = [0, 1, 2].map((channel) => Float64Array.from(starts, (start) => values[start + CHANGE + channel]!));
  return { columns: columns - 2, rows: rows - 2, features, changes };
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
