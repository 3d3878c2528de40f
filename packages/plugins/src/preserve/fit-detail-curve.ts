import { DETAIL_KNOTS, type DetailCurve } from './detail-curve.js';
import { DETAIL, EDIT, type EditCells, interior } from './edit-cells.js';
import type { Fit } from './fit-whole-edit.js';
import { solve, stiffen } from './solve.js';

/** Weight of the curve's bends against its errors, both squared. */
const STIFFNESS = 3e-5;
const RIDGE = 1e-7;

/**
 * The curve whose mean over each cell meets the mean of the edit there:
 *
 *     sum over cells of | mean(b) - sum_k mean(w_k(detail of s)) c_k |^2  +  stiffness |second differences of c|^2   ->  least
 */
export function fitDetailCurve({ lattice, surround }: EditCells): Fit<DetailCurve> {
  const { values } = lattice;
  const width = DETAIL_KNOTS + 3;
  const system = new Float64Array(DETAIL_KNOTS * width);
  let count = 0;
  for (const start of interior(lattice)) {
    count++;
    for (let i = 0; i < DETAIL_KNOTS; i++) {
      const weight = values[start + DETAIL + i]!;
      if (weight === 0) continue;
      for (let j = 0; j < DETAIL_KNOTS; j++) system[i * width + j]! += weight * values[start + DETAIL + j]!;
      for (let channel = 0; channel < 3; channel++)
        system[i * width + DETAIL_KNOTS + channel]! += weight * values[start + EDIT + channel]!;
    }
  }
  for (let i = 0; i < system.length; i++) system[i]! /= count;
  for (let i = 0; i < DETAIL_KNOTS; i++) system[i * width + i]! += RIDGE;
  stiffen(system, DETAIL_KNOTS, { start: 0, count: DETAIL_KNOTS, stiffness: STIFFNESS });
  const knots = solve(system, DETAIL_KNOTS);
  let misfit = 0;
  for (const start of interior(lattice)) {
    for (let channel = 0; channel < 3; channel++) {
      let left = values[start + EDIT + channel]!;
      for (let knot = 0; knot < DETAIL_KNOTS; knot++)
        left -= values[start + DETAIL + knot]! * knots[knot * 3 + channel]!;
      misfit += left ** 2;
    }
  }
  return { change: { knots: Float32Array.from(knots), surround }, misfit: misfit / (3 * count) };
}
