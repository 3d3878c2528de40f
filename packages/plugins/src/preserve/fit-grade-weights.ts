import { BEND, bendOf, bendWeight } from './bends.js';
import { GRADE_WEIGHTS, KNOTS } from './color-grade.js';
import { addSquare, solve } from './solve.js';

/** Weight of the bends of the channels' mean curve against errors, and the size from which a bend counts no more for being larger. */
const BENDS = { stiffness: 0.3, large: 1e-3 };
/** Weights of what a channel's curves differ in from the mean of the channels: their values and their bends, both squared. */
const APART = 3e-3;
const BENT_APART = 0.1;
const RIDGE = 1e-6;
/** Weight of what black and white are changed by where they are tied, squared. */
const TIED = 10;
/** Weights of all channels. */
const SIZE = 3 * GRADE_WEIGHTS;
/** Where the curves of a channel start among its weights, and how many knots they have. */
const CURVES = [
  { start: 0, count: KNOTS },
  { start: KNOTS, count: KNOTS },
];
/** First knots of all triples of neighbouring ones. */
const BENDS_AT = CURVES.flatMap(({ start, count }) => Array.from({ length: count - 2 }, (_, i) => start + i));

/** Ends of the tones that a grade leaves as they are. */
export interface Ties {
  readonly black: boolean;
  readonly white: boolean;
}

export interface WeightsProblem {
  /** How much of the grade each cell takes, [cells]. */
  readonly shares: Float64Array;
  /** What the edit changed in the cells, [cells] of each channel. */
  readonly changes: readonly Float64Array[];
  readonly rounds: number;
  /** Default: none. */
  readonly ties?: Ties;
}

export type WeightsFit = (problem: WeightsProblem) => Float64Array;

/** Starts fits to the same features. Each finds weights of its bends in rounds, and goes on from call to call. */
export type StartWeightsFit = () => WeightsFit;

/**
 * Fits the weights of a grade, [3, GRADE_WEIGHTS], to shares of the cells. Its mean over each cell meets the mean of what the edit changed
 * there, with bends in few places and with channels that are changed alike, as far as that goes: a model's errors differ from tone to
 * tone and from channel to channel more than edits do.
 *
 *     sum over cells of | change - share . features . weights |^2  +  weighted | bends of the mean of the channels |^2
 *         +  stiffness (|differences to that mean|^2 + |their bends|^2)   ->  least
 *
 * @param features of each channel their means in the cells, [cells, GRADE_WEIGHTS]
 */
export function createWeightsFits(features: readonly Float64Array[]): StartWeightsFit {
  // Most fits in a row are to the very same shares.
  let known: { shares: Float64Array; system: Float64Array } | undefined;
  return () => {
    const bendWeights = new Float64Array(BENDS_AT.length).fill(BENDS.stiffness);
    return ({ shares, changes, rounds, ties }) => {
      if (known?.shares !== shares) known = { shares, system: systemOf(features, shares) };
      const errors = known.system.slice();
      addChanges(errors, features, { shares, changes });
      if (ties?.black) tie(errors, 0);
      if (ties?.white) tie(errors, KNOTS - 1);
      let weights: Float64Array = new Float64Array();
      for (let round = 0; round < rounds; round++) {
        const system = errors.slice();
        for (const [bend, first] of BENDS_AT.entries()) {
          const channels = [0, 1, 2].map((channel) => channel * GRADE_WEIGHTS + first);
          const places = channels.flatMap((knot) => [knot, knot + 1, knot + 2]);
          const factors = channels.flatMap(() => BEND.map((factor) => factor / 3));
          addSquare(system, SIZE, { places, factors, weight: bendWeights[bend]! });
        }
        weights = solve(system, SIZE);
        for (const [bend, first] of BENDS_AT.entries()) {
          const bends = [0, 1, 2].map((channel) => bendOf(weights, channel * GRADE_WEIGHTS + first));
          bendWeights[bend] = bendWeight((bends[0]! + bends[1]! + bends[2]!) / 3, BENDS);
        }
      }
      return weights;
    };
  };
}

/** Keeps the mean of the channels at a gray tone of the curves' ends as it is. */
function tie(system: Float64Array, knot: number): void {
  const places = [0, 1, 2].flatMap((channel) => {
    const start = channel * GRADE_WEIGHTS;
    const linear = start + 2 * KNOTS;
    return [start + knot, start + KNOTS + knot, ...(knot > 0 ? [linear, linear + 1, linear + 2] : [])];
  });
  addSquare(system, SIZE, { places, factors: places.map(() => 1 / 3), weight: TIED });
}

/** The system without the bends of the mean and without the changes. */
function systemOf(features: readonly Float64Array[], shares: Float64Array): Float64Array {
  const width = SIZE + 1;
  const system = new Float64Array(SIZE * width);
  for (let channel = 0; channel < 3; channel++) {
    const of = features[channel]!;
    const block = channel * GRADE_WEIGHTS;
    const used = new Int32Array(GRADE_WEIGHTS);
    for (const [cell, share] of shares.entries()) {
      const start = cell * GRADE_WEIGHTS;
      let count = 0;
      for (let i = 0; i < GRADE_WEIGHTS; i++) if (of[start + i] !== 0) used[count++] = i;
      const weight = share / shares.length;
      for (let a = 0; a < count; a++) {
        const value = weight * of[start + used[a]!]!;
        const row = (block + used[a]!) * width;
        for (let b = 0; b < count; b++) system[row + block + used[b]!]! += value * share * of[start + used[b]!]!;
      }
    }
    for (const { start, count } of CURVES)
      for (let knot = start; knot < start + count; knot++)
        keepTogether(system, channel, { knots: [knot], factors: [1], weight: APART });
    for (const first of BENDS_AT)
      keepTogether(system, channel, { knots: [first, first + 1, first + 2], factors: BEND, weight: BENT_APART });
  }
  for (let i = 0; i < SIZE; i++) system[i * width + i]! += RIDGE;
  return system;
}

/** Adds what the grade is to meet, the last column. */
function addChanges(
  system: Float64Array,
  features: readonly Float64Array[],
  { shares, changes }: Pick<WeightsProblem, 'shares' | 'changes'>,
): void {
  for (const [channel, of] of features.entries()) {
    for (const [cell, share] of shares.entries()) {
      const change = (share / shares.length) * changes[channel]![cell]!;
      for (let i = 0; i < GRADE_WEIGHTS; i++)
        system[(channel * GRADE_WEIGHTS + i) * (SIZE + 1) + SIZE]! += of[cell * GRADE_WEIGHTS + i]! * change;
    }
  }
}

/** Adds the square of what a channel differs in from the mean of the three. */
function keepTogether(
  system: Float64Array,
  channel: number,
  { knots, factors, weight }: { knots: readonly number[]; factors: readonly number[]; weight: number },
): void {
  const others = [0, 1, 2];
  const places = others.flatMap((other) => knots.map((knot) => other * GRADE_WEIGHTS + knot));
  const differences = others.flatMap((other) => factors.map((factor) => factor * (other === channel ? 2 / 3 : -1 / 3)));
  addSquare(system, SIZE, { places, factors: differences, weight });
}
