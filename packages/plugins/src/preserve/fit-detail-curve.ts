import { BEND, bendOf, bendWeight } from './bends.js';
import { clippedEnds } from './clipped-ends.js';
import { DETAIL_KNOTS, type DetailCurve } from './detail-curve.js';
import { blockMeans, DETAIL, EDIT, type EditCells } from './edit-cells.js';
import type { Fit } from './fit-whole-edit.js';
import { addSquare, solve } from './solve.js';

/** Weight of the curve's bends against its errors, and the size from which a bend counts no more for being larger. */
const BENDS = { stiffness: 0.3, large: 3e-3 };
const RIDGE = 1e-7;
/** Rounds of weighing the bends anew. */
const ROUNDS = 8;
/** Lines need wider means than colours: the autoencoder moves them a little. In cells along a side. */
const BLOCK = 2;

/**
 * The curve whose mean over blocks of cells meets the mean of the edit there, with bends in few places:
 *
 *     sum over blocks of | mean(b) - sum_k mean(w_k(detail of s)) c_k |^2  +  sum over k of the weight of | second difference of c at k |   ->  least
 */
export function fitDetailCurve({ lattice, surround }: EditCells): Fit<DetailCurve> {
  const means = blockMeans(lattice, BLOCK);
  const width = DETAIL_KNOTS + 3;
  const base = new Float64Array(DETAIL_KNOTS * width);
  for (const block of means) {
    for (let i = 0; i < DETAIL_KNOTS; i++) {
      const weight = block[DETAIL + i]! / means.length;
      if (weight === 0) continue;
      for (let j = 0; j < DETAIL_KNOTS; j++) base[i * width + j]! += weight * block[DETAIL + j]!;
      for (let channel = 0; channel < 3; channel++)
        base[i * width + DETAIL_KNOTS + channel]! += weight * block[EDIT + channel]!;
    }
  }
  for (let i = 0; i < DETAIL_KNOTS; i++) base[i * width + i]! += RIDGE;
  const weights = new Float64Array(DETAIL_KNOTS - 2).fill(BENDS.stiffness);
  let knots = new Float64Array();
  for (let round = 0; round < ROUNDS; round++) {
    const system = base.slice();
    for (const [first, weight] of weights.entries())
      addSquare(system, DETAIL_KNOTS, { places: [first, first + 1, first + 2], factors: BEND, weight });
    knots = solve(system, DETAIL_KNOTS) as Float64Array<ArrayBuffer>;
    for (const first of weights.keys()) {
      const bends = [0, 1, 2].map((channel) => Math.abs(bendOf(knots, first * 3 + channel, 3)));
      weights[first] = bendWeight(Math.max(...bends), BENDS);
    }
  }
  let misfit = 0;
  for (const block of means) {
    for (let channel = 0; channel < 3; channel++) {
      let left = block[EDIT + channel]!;
      for (let knot = 0; knot < DETAIL_KNOTS; knot++) left -= block[DETAIL + knot]! * knots[knot * 3 + channel]!;
      misfit += left ** 2;
    }
  }
  return { change: { knots: withClippedEnds(knots), surround }, misfit: misfit / (3 * means.length) };
}

/** Gives what a curve leads close to black or white what it lacks of it. */
function withClippedEnds(knots: Float64Array): Float32Array {
  const mended = Float32Array.from(knots);
  const curves = [0, 1, 2].map((channel) => knots.filter((_, i) => i % 3 === channel));
  for (const [channel, lacking] of clippedEnds(curves).entries())
    for (const [knot, value] of lacking.entries()) mended[knot * 3 + channel]! += value;
  return mended;
}
