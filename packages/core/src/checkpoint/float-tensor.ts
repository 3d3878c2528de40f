import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import type { TensorInfo } from './tensor-info.js';

/**
 * A tensor of floats by its key.
 * @throws {InvalidCheckpointError} when it is missing, holds no floats, or its shape does not fit.
 */
export function floatTensor(
  tensors: ReadonlyMap<string, TensorInfo>,
  key: string,
  {
    file,
    shape,
    fits,
  }: {
    file: string;
    /** What is expected, for the error. */
    shape: string;
    fits: (shape: readonly number[]) => boolean;
  },
): TensorInfo {
  const tensor = tensors.get(key);
  if (tensor !== undefined && ['F32', 'F16', 'BF16'].includes(tensor.dtype) && fits(tensor.shape)) return tensor;
  throw new InvalidCheckpointError({
    file,
    tensor: key,
    expected: `floats [${shape}]`,
    received: tensor === undefined ? 'no such tensor' : `${tensor.dtype} [${tensor.shape.join(', ')}]`,
  });
}
