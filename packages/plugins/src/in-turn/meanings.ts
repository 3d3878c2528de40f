import { type Checkpoint, decodeTensorValues, type TensorInfo } from '@vibe-edit/core/runtime';

/** What the halves of a conditioning may mean. */
export interface Meanings {
  /** Row by row: what is said in the first half, and in the second. */
  readonly first: readonly Float32Array[];
  readonly second: readonly Float32Array[];
  /** Which operation a row is, by its place among the operations; further rows are none. */
  readonly operations: readonly number[];
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

/** The row that values lie closest to, in squared distance. */
export function nearestRow(rows: readonly Float32Array[], values: Float32Array): number {
  let nearest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, row] of rows.entries()) {
    let distance = 0;
    for (let i = 0; i < row.length; i++) distance += ((values[i] as number) - (row[i] as number)) ** 2;
    if (distance < least) [nearest, least] = [index, distance];
  }
  return nearest;
}
