import type { CheckpointFiles } from './checkpoint-files.js';
import { floatTensor } from './float-tensor.js';
import { readTensorFile } from './state-dict.js';
import type { TensorInfo } from './tensor-info.js';

/**
 * How the wording of an instruction moves the distance from the empty prompt up to which it counts as not understood: a linear model of
 * the pieces of a text.
 */
export interface OutOfScope {
  /** What each piece adds, by its place in a table of 2^k, [2^k]. */
  readonly weights: TensorInfo;
  /** Of a text without any of them, [1]. */
  readonly bias: TensorInfo;
}

const FILE = 'out_of_scope.safetensors';
const MAX_PLACES = 2 ** 20;

/**
 * Finds `out_of_scope.safetensors` in a checkpoint that has it.
 * @throws {InvalidCheckpointError} when it is damaged, or its tensors are of another kind.
 */
export async function readOutOfScope(files: CheckpointFiles): Promise<OutOfScope | undefined> {
  if (!(await files.has(FILE))) return undefined;
  const tensors = await readTensorFile(files, FILE);
  const file = files.resolve(FILE);
  return {
    weights: floatTensor(tensors, 'weights', {
      file,
      shape: `a power of two, at most ${MAX_PLACES}`,
      fits: ([length = 0, ...more]) => more.length === 0 && length <= MAX_PLACES && Number.isInteger(Math.log2(length)),
    }),
    bias: floatTensor(tensors, 'bias', { file, shape: '1', fits: (shape) => shape.length === 1 && shape[0] === 1 }),
  };
}
