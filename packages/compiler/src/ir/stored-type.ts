import { InvalidCheckpointError, type TensorInfo } from '@vibe-edit/core/runtime';
import type { ElementType } from './shape.js';

const STORED_TYPE: Readonly<Partial<Record<TensorInfo['dtype'], ElementType>>> = {
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F64: 'float64',
};

/** The element type a weight has in its file. @throws {InvalidCheckpointError} when it is no floating-point tensor. */
export function storedType(tensor: TensorInfo): ElementType {
  const type = STORED_TYPE[tensor.dtype];
  if (type === undefined) {
    throw new InvalidCheckpointError({
      file: tensor.file,
      tensor: tensor.name,
      expected: 'a floating-point tensor (F32, F16, BF16 or F64)',
      received: tensor.dtype,
    });
  }
  return type;
}
