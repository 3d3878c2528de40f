import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import type { CheckpointFiles } from './checkpoint-files.js';
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
  const find = (key: keyof OutOfScope, expected: string, fits: (length: number) => boolean): TensorInfo => {
    const tensor = tensors.get(key);
    const [length = 0, ...more] = tensor?.shape ?? [];
    const isFloat = tensor !== undefined && ['F32', 'F16', 'BF16'].includes(tensor.dtype);
    if (isFloat && more.length === 0 && fits(length)) return tensor;
    throw new InvalidCheckpointError({
      file: files.resolve(FILE),
      tensor: key,
      expected,
      received: tensor === undefined ? 'no such tensor' : `${tensor.dtype} [${tensor.shape.join(', ')}]`,
    });
  };
  const isPowerOfTwo = (length: number): boolean =>
    length > 0 && length <= MAX_PLACES && Number.isInteger(Math.log2(length));
  return {
    weights: find('weights', `floats [a power of two, at most ${MAX_PLACES}]`, isPowerOfTwo),
    bias: find('bias', 'floats [1]', (length) => length === 1),
  };
}
