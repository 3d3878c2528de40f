import { BEND, bendOf, bendWeight } from './bends.js';
import { type ColorGrade, GRADE_WEIGHTS, LUMA_KNOTS, OWN_KNOTS } from './color-grade.js';
import { nodePosition } from './color-grid.js';
import { CHANGE, type EditCells, interior, LINEAR, type OF_BEFORE, type OF_SOURCE, OWN } from './edit-cells.js';
import { fitShares } from './fit-shares.js';
import type { Fit } from './fit-whole-edit.js';
import { addSquare, solve } from './solve.js';
import type { WorkingPlane } from './working-plane.js';

/** Weight of the bends of the channels' mean curve against errors, and the size from which a bend counts no more for being larger. */
const BENDS = { stiffness: 0.3, large: 1e-3 };
/** Weights of what a channel's curves differ in from the mean of the channels: their values and their bends, both squared. */
const APART = 3e-3;
const BENT_APART = 0.1;
const RIDGE = 1e-6;
/** Rounds of weighing the bends anew: of a grade that starts, and of one that goes on. */
const FIRST_ROUNDS = 6;
const FURTHER_ROUNDS = 2;
/** Rounds of fitting the shares to the grade and the grade to the shares. */
const ROUNDS = 8;
/** Where the curves of a channel start among its weights, and how many knots they have. */
const CURVES = [
  { start: 0, count: LUMA_KNOTS },
  { start: LUMA_KNOTS, count: OWN_KNOTS },
];
/** First knots of all triples of neighbouring ones. */
const BENDS_AT = CURVES.flatMap(({ start, count }) => Array.from({ length: count - 2 }, (_, i) => start + i));

/** The cells as the fit needs them: of each channel the features [cells, GRADE_WEIGHTS] and the changes [cells]. */
interface Problem {
  readonly columns: number;
  readonly rows: number;
  readonly features: readonly Float64Array[];
  readonly changes: readonly Float64Array[];
}

/** Fits grades to an edit. */
export interface GradeFits {
  /** With the same share everywhere. */
  even(): Fit<ColorGrade>;
  /** With shares of its own for each place. */
  shared(): Generator<void, Fit<ColorGrade>>;
}

/**
 * Fits the grade whose mean over each cell meets the mean of what the edit changed there, with bends in few places and with channels that
 * are changed alike, as far as that goes: a model's errors differ from tone to tone and from channel to channel more than edits do.
 *
 *     sum over cells of | mean(b - a) - share . mean(features) . weights |^2  +  weighted | bends of the mean of the channels |
 *         +  stiffness (|differences to that mean|^2 + |their bends|^2)   ->  least
 *
 * @param of the features: of the source, which sharp curves need, or of the source through the autoencoder, which colours need that
 *   it does not reach
 */
export function gradeFits(cells: EditCells, of: typeof OF_SOURCE | typeof OF_BEFORE): GradeFits {
  const problem = problemOf(cells, of);
  const everywhere = new Float64Array(problem.columns * problem.rows).fill(1);
  return {
    even() {
      const weights = new WeightsFit(problem).fit(everywhere, FIRST_ROUNDS);
      const change = { weights: Float32Array.from(weights), share: undefined };
      return { change, misfit: misfit(problem, everywhere, weights) };
    },
    *shared() {
      const fit = new WeightsFit(problem);
      let shares = everywhere;
      let weights = fit.fit(shares, FIRST_ROUNDS);
      for (let round = 0; round < ROUNDS; round++) {
        yield;
        shares = fitShares({ ...problem, grades: graded(problem, weights) });
        yield;
        weights = fit.fit(shares, FURTHER_ROUNDS);
      }
      const change = { weights: Float32Array.from(weights), share: atWorkingSize(cells, shares) };
      return { change, misfit: misfit(problem, shares, weights) };
    },
  };
}

function problemOf({ lattice }: EditCells, of: number): Problem {
  const { columns, rows } = lattice;
  const starts = [...interior(lattice)];
  const { values } = lattice;
  const features = [0, 1, 2].map((channel) => {
    const own = of + OWN + channel * OWN_KNOTS;
    const means = new Float64Array(starts.length * GRADE_WEIGHTS);
    for (const [cell, start] of starts.entries()) {
      const to = cell * GRADE_WEIGHTS;
      means.set(values.subarray(start + of, start + of + LUMA_KNOTS), to);
      means.set(values.subarray(start + own, start + own + OWN_KNOTS), to + LUMA_KNOTS);
      means.set(values.subarray(start + of + LINEAR, start + of + LINEAR + 3), to + LUMA_KNOTS + OWN_KNOTS);
    }
    return means;
  });
  const changes = [0, 1, 2].map((channel) => Float64Array.from(starts, (start) => values[start + CHANGE + channel]!));
  return { columns: columns - 2, rows: rows - 2, features, changes };
}

/** Fits the weights of a grade, [3, GRADE_WEIGHTS], to given shares; the weights of the bends go on from fit to fit. */
class WeightsFit {
  private readonly bendWeights = new Float64Array(BENDS_AT.length).fill(BENDS.stiffness);

  constructor(private readonly problem: Problem) {}

  fit(shares: Float64Array, rounds: number): Float64Array {
    const size = 3 * GRADE_WEIGHTS;
    const errors = this.errors(shares);
    let weights = new Float64Array() as Float64Array;
    for (let round = 0; round < rounds; round++) {
      const system = errors.slice();
      for (const [bend, first] of BENDS_AT.entries()) {
        const channels = [0, 1, 2].map((channel) => channel * GRADE_WEIGHTS + first);
        const places = channels.flatMap((knot) => [knot, knot + 1, knot + 2]);
        const factors = channels.flatMap(() => BEND.map((factor) => factor / 3));
        addSquare(system, size, { places, factors, weight: this.bendWeights[bend]! });
      }
      weights = solve(system, size);
      for (const [bend, first] of BENDS_AT.entries()) {
        const mean = [0, 1, 2].reduce((sum, channel) => sum + bendOf(weights, channel * GRADE_WEIGHTS + first) / 3, 0);
        this.bendWeights[bend] = bendWeight(mean, BENDS);
      }
    }
    return weights;
  }

  /** The system without the bends of the mean curve. */
  private errors(shares: Float64Array): Float64Array {
    const { features, changes } = this.problem;
    const size = 3 * GRADE_WEIGHTS;
    const width = size + 1;
    const system = new Float64Array(size * width);
    for (let channel = 0; channel < 3; channel++) {
      const of = features[channel]!;
      const block = channel * GRADE_WEIGHTS;
      for (const [cell, share] of shares.entries()) {
        const start = cell * GRADE_WEIGHTS;
        for (let i = 0; i < GRADE_WEIGHTS; i++) {
          const weight = (share * of[start + i]!) / shares.length;
          if (weight === 0) continue;
          const row = (block + i) * width;
          for (let j = 0; j < GRADE_WEIGHTS; j++) system[row + block + j]! += weight * share * of[start + j]!;
          system[row + size]! += weight * changes[channel]![cell]!;
        }
      }
      // What this channel differs in from the mean of the three.
      const factorOf = (other: number) => (other === channel ? 2 / 3 : -1 / 3);
      const apart = (knots: readonly number[], factors: readonly number[], weight: number) => {
        const places = [0, 1, 2].flatMap((other) => knots.map((knot) => other * GRADE_WEIGHTS + knot));
        const all = [0, 1, 2].flatMap((other) => factors.map((factor) => factor * factorOf(other)));
        addSquare(system, size, { places, factors: all, weight });
      };
      for (const { start, count } of CURVES)
        for (let knot = start; knot < start + count; knot++) apart([knot], [1], APART);
      for (const first of BENDS_AT) apart([first, first + 1, first + 2], BEND, BENT_APART);
    }
    for (let i = 0; i < size; i++) system[i * width + i]! += RIDGE;
    return system;
  }
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
