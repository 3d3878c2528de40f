import { type Checkpoint, decodeTensorValues, type TensorInfo } from '@vibe-edit/core/runtime';

/** What the halves of a conditioning may mean: rows of prototypes, and which operation each is. */
export interface Meanings {
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
  /** Of the first rows, the place of the operation in the checkpoint's list. The row after them is what is not understood. */
  readonly operations: readonly number[];
}

/** The rows that the halves of a conditioning lie closest to. */
export interface Reading {
  readonly first: number;
  readonly second: number;
}

/**
 * Reads them from a checkpoint that comes with prototypes.
 * @throws {InvalidCheckpointError} when the file cannot be read
 */
export async function readMeanings(
  checkpoint: Checkpoint,
  { first, second, operations }: NonNullable<Checkpoint['prototypes']>,
): Promise<Meanings> {
  const rows = async (info: TensorInfo): Promise<Float32Array[]> => {
    const values = decodeTensorValues(info, await checkpoint.readTensor(info)) as Float32Array;
    const [count, ...row] = info.shape as readonly [number, ...number[]];
    const size = row.reduce((product, side) => product * side, 1);
    return Array.from({ length: count }, (_, index) => values.subarray(index * size, (index + 1) * size));
  };
  return {
    first: await rows(first),
    second: await rows(second),
    operations: operations.flatMap(({ strengths }, place) => Array<number>(strengths).fill(place)),
  };
}

/**
 * What a conditioning [queries, channels] means, by squared distance: two operations (or one, twice), two different halves of another
 * meaning, or nothing that is understood. Halves of different kinds do not go together.
 */
export function readingOf(values: Float32Array, { first, second, operations }: Meanings): Reading | undefined {
  const half = values.length / 2;
  const ones = first.map((row) => squaredDistance(row, values.subarray(0, half)));
  const others = second.map((row) => squaredDistance(row, values.subarray(half)));
  const strange = operations.length;
  // Operations lie before the row of what is not understood, halves of other meanings behind it.
  const kindOf = (row: number): number => Math.sign(row - strange);
  let reading: Reading | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [one, distance] of ones.entries()) {
    for (const [other, more] of others.entries()) {
      const areTogether = kindOf(one) === kindOf(other) && (one <= strange || one !== other);
      if (!areTogether || distance + more >= least) continue;
      least = distance + more;
      reading = one === strange ? undefined : { first: one, second: other };
    }
  }
  return reading;
}

/** The nearest point to some values on the lines between any two of these points, by squared distance; of a single one, that one. */
export function nearestBetween(values: Float32Array, points: readonly Float32Array[]): Float32Array {
  let nearest = values;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, from] of points.entries()) {
    for (const to of points.slice(index)) {
      const point = nearestOnLine(values, from, to);
      const distance = squaredDistance(values, point);
      if (distance < least) [nearest, least] = [point, distance];
    }
  }
  return nearest;
}

function nearestOnLine(values: Float32Array, from: Float32Array, to: Float32Array): Float32Array {
  let along = 0;
  for (let i = 0; i < values.length; i++) {
    along += ((values[i] as number) - (from[i] as number)) * ((to[i] as number) - (from[i] as number));
  }
  const share = along <= 0 ? 0 : Math.min(along / squaredDistance(from, to), 1);
  return from.map((value, i) => value + share * ((to[i] as number) - value));
}

function squaredDistance(one: Float32Array, other: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += ((one[i] as number) - (other[i] as number)) ** 2;
  return sum;
}
