import { elementCount } from '../backend/tensor.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

/**
 * Number of elements of a shape that a caller gave.
 * @throws {InvalidArgumentError} a size is no whole number of 0 or more, or there are more elements than an array holds
 */
export function countOf(shape: readonly number[]): number {
  const count = elementCount(shape);
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0) || count > 2 ** 31) {
    throw new InvalidArgumentError({
      argument: 'shape',
      expected: 'whole numbers of 0 or more, with at most 2^31 elements',
      received: `[${shape.join(', ')}]`,
    });
  }
  return count;
}
