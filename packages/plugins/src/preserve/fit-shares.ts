import { BEND } from './bends.js';
import { addSquare, solve } from './solve.js';

/** Weight of the bends of the shares against errors, both squared, in a picture of one cell. */
const STIFFNESS = 0.5 / 16 ** 4;
/** Keeps shares from being anything at all where a grade changes nothing, of its mean square and of 1. */
const RIDGE = 1e-6;
const LEAST_SQUARE = 1e-9;
/** The share that so many of the cells do not exceed counts as all of the change. */
const WHOLE = 0.95;

export interface SharesProblem {
  readonly columns: number;
  readonly rows: number;
  /** Of each channel, what a grade changes in each cell where its share is whole, and what the edit changed there. */
  readonly grades: readonly Float64Array[];
  readonly changes: readonly Float64Array[];
}

/**
 * How much of a grade each cell takes, from 0 up, and bends little from cell to cell (a thin plate), scaled such that the grade is the
 * change where it is whole:
 *
 *     sum over cells and channels of (change - share . grade)^2  +  stiffness . mean(grade^2) . |second differences of the shares|^2   ->  least
 */
export function fitShares({ columns, rows, grades, changes }: SharesProblem): Float64Array<ArrayBuffer> {
  const size = columns * rows;
  const width = size + 1;
  const system = new Float64Array(size * width);
  let squares = 0;
  for (const [channel, grade] of grades.entries()) {
    for (const [cell, value] of grade.entries()) {
      system[cell * width + cell]! += value * value;
      system[cell * width + size]! += value * changes[channel]![cell]!;
      squares += (value * value) / size;
    }
  }
  for (let cell = 0; cell < size; cell++) system[cell * width + cell]! += RIDGE * squares + LEAST_SQUARE;
  const weight = STIFFNESS * size ** 2 * squares;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const cell = row * columns + column;
      const [right, below] = [cell + 1, cell + columns];
      if (column < columns - 2) addSquare(system, size, { places: [cell, right, right + 1], factors: BEND, weight });
      if (row < rows - 2) addSquare(system, size, { places: [cell, below, below + columns], factors: BEND, weight });
      if (column < columns - 1 && row < rows - 1)
        addSquare(system, size, {
          places: [cell, right, below, below + 1],
          factors: [1, -1, -1, 1],
          weight: 2 * weight,
        });
    }
  }
  const shares = Float64Array.from(solve(system, size, 2 * columns), (share) => Math.max(share, 0));
  const whole = shares.slice().sort()[Math.floor(size * WHOLE)]!;
  return whole > 0 ? shares.map((share) => share / whole) : shares;
}
