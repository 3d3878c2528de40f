import { type ColorGrade, GRADE_WEIGHTS, LUMA_KNOTS, OWN_KNOTS } from './color-grade.js';
import { nodePosition } from './color-grid.js';
import { CHANGE, type EditCells, interior, LINEAR, OF_BEFORE, OF_SOURCE, OWN } from './edit-cells.js';
import type { Fit } from './fit-whole-edit.js';
import { gaussianBlur } from './gaussian-blur.js';
import { solve, stiffen } from './solve.js';
import type { WorkingPlane } from './working-plane.js';

/** Weight of the bends of the curves against errors, both squared. */
const STIFFNESS = 3e-6;
const RIDGE = 1e-6;
/** Standard deviation of the Gaussian that the shares are smoothed with, in cells. */
const SHARE_SMOOTHING = 1.5;
/** Least squared change, 0..1 squared, that a share is taken from. */
const LEAST_CHANGE = 1e-5;
/** Rounds of fitting the shares to the grade and the grade to the shares. */
const ROUNDS = 6;
/** An even grade takes features of the source through the autoencoder where they leave less than this share. */
const CLEARLY = 0.65;
/** The share that so many of the cells do not exceed counts as all of the change. */
const WHOLE = 0.95;

/** The cells as the fit needs them: of each channel the features [cells, GRADE_WEIGHTS] and the changes [cells]. */
interface Problem {
  readonly cells: number;
  readonly features: readonly Float64Array[];
  readonly changes: readonly Float64Array[];
}

/** With the same share everywhere, and with shares of its own for each place. */
interface Grades {
  readonly even: Fit<ColorGrade>;
  readonly shared: Fit<ColorGrade>;
}

/**
 * The grade whose mean over each cell meets the mean of what the edit changed there:
 *
 *     sum over cells of | mean(b - a) - share . mean(features) . weights |^2  +  stiffness |second differences|^2   ->  least
 *
 * The features are those of the source s, or of the source through the autoencoder, a, where they leave less, for an even grade clearly
 * less: sharp curves need the former, colours that the autoencoder does not reach the latter.
 */
export function* fitColorGrade(cells: EditCells): Generator<void, Grades> {
  const ofSource = yield* fitGrades(cells, OF_SOURCE);
  const ofBefore = yield* fitGrades(cells, OF_BEFORE);
  return {
    even: ofBefore.even.misfit < CLEARLY * ofSource.even.misfit ? ofBefore.even : ofSource.even,
    shared: ofBefore.shared.misfit < ofSource.shared.misfit ? ofBefore.shared : ofSource.shared,
  };
}

/** Shares and weights are fitted in turn. */
function* fitGrades(cells: EditCells, features: number): Generator<void, Grades> {
  const problem = problemOf(cells, features);
  const shares = new Float64Array(problem.cells).fill(1);
  let weights = fitWeights(problem, shares);
  const even = {
    change: { weights: Float32Array.from(weights), share: undefined },
    misfit: misfit(problem, shares, weights),
  };
  for (let round = 0; round < ROUNDS; round++) {
    yield;
    yield* fitShares(problem, cells, shares, weights);
    weights = fitWeights(problem, shares);
  }
  const change = { weights: Float32Array.from(weights), share: atWorkingSize(cells, shares) };
  return { even, shared: { change, misfit: misfit(problem, shares, weights) } };
}

function problemOf({ lattice }: EditCells, of: number): Problem {
  const starts = [...interior(lattice)];
  const { values } = lattice;
  const features = [0, 1, 2].map((channel) => {
    const own = of + OWN + channel * OWN_KNOTS;
    const rows = new Float64Array(starts.length * GRADE_WEIGHTS);
    for (const [cell, start] of starts.entries()) {
      const to = cell * GRADE_WEIGHTS;
      rows.set(values.subarray(start + of, start + of + LUMA_KNOTS), to);
      rows.set(values.subarray(start + own, start + own + OWN_KNOTS), to + LUMA_KNOTS);
      rows.set(values.subarray(start + of + LINEAR, start + of + LINEAR + 3), to + LUMA_KNOTS + OWN_KNOTS);
    }
    return rows;
  });
  const changes = [0, 1, 2].map((channel) => Float64Array.from(starts, (start) => values[start + CHANGE + channel]!));
  return { cells: starts.length, features, changes };
}

/** [3, GRADE_WEIGHTS] */
function fitWeights({ cells, features, changes }: Problem, shares: Float64Array): Float64Array {
  const size = GRADE_WEIGHTS;
  const width = size + 1;
  const weights = new Float64Array(3 * size);
  for (let channel = 0; channel < 3; channel++) {
    const of = features[channel]!;
    const system = new Float64Array(size * width);
    for (let cell = 0; cell < cells; cell++) {
      const share = shares[cell]!;
      const start = cell * size;
      for (let i = 0; i < size; i++) {
        const weight = (share * of[start + i]!) / cells;
        if (weight === 0) continue;
        for (let j = 0; j < size; j++) system[i * width + j]! += weight * share * of[start + j]!;
        system[i * width + size]! += weight * changes[channel]![cell]!;
      }
    }
    for (let i = 0; i < size; i++) system[i * width + i]! += RIDGE;
    stiffen(system, size, { start: 0, count: LUMA_KNOTS, stiffness: STIFFNESS });
    stiffen(system, size, { start: LUMA_KNOTS, count: OWN_KNOTS, stiffness: STIFFNESS });
    weights.set(solve(system, size), channel * size);
  }
  return weights;
}

function graded({ features }: Problem, weights: Float64Array, channel: number, cell: number): number {
  let sum = 0;
  for (let i = 0; i < GRADE_WEIGHTS; i++)
    sum += features[channel]![cell * GRADE_WEIGHTS + i]! * weights[channel * GRADE_WEIGHTS + i]!;
  return sum;
}

function misfit(problem: Problem, shares: Float64Array, weights: Float64Array): number {
  let sum = 0;
  for (let cell = 0; cell < problem.cells; cell++) {
    for (let channel = 0; channel < 3; channel++)
      sum += (problem.changes[channel]![cell]! - shares[cell]! * graded(problem, weights, channel, cell)) ** 2;
  }
  return sum / (3 * problem.cells);
}

/** Shares of least squared error over a few cells each, from 0 up, scaled such that the grade is the change where it is whole. */
function* fitShares(
  problem: Problem,
  cells: EditCells,
  shares: Float64Array,
  weights: Float64Array,
): Generator<void, void> {
  const size = { width: cells.lattice.columns - 2, height: cells.lattice.rows - 2 };
  const products = new Float64Array(problem.cells);
  const squares = new Float64Array(problem.cells);
  for (let cell = 0; cell < problem.cells; cell++) {
    for (let channel = 0; channel < 3; channel++) {
      const change = graded(problem, weights, channel, cell);
      products[cell]! += change * problem.changes[channel]![cell]!;
      squares[cell]! += change * change;
    }
  }
  const above = yield* gaussianBlur({ ...size, values: products }, SHARE_SMOOTHING);
  const below = yield* gaussianBlur({ ...size, values: squares }, SHARE_SMOOTHING);
  for (let cell = 0; cell < problem.cells; cell++)
    shares[cell] = Math.max(0, above.values[cell]! / (below.values[cell]! + LEAST_CHANGE));
  const whole = Float64Array.from(shares).sort()[Math.floor(problem.cells * WHOLE)]!;
  if (whole > 0) for (let cell = 0; cell < problem.cells; cell++) shares[cell]! /= whole;
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
