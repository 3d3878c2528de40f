import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

/** Element types that cross a session's boundary. What is bfloat16 or float16 inside a backend is cast there. */
export type DType = 'float32' | 'int64' | 'int32' | 'uint8';

/** The typed array that holds a dtype's elements. */
export interface TensorData {
  float32: Float32Array;
  int64: BigInt64Array;
  int32: Int32Array;
  uint8: Uint8Array;
}

/**
 * A handle to an n-dimensional array, row-major. `host` tensors lie in this process; `backend` tensors lie wherever the
 * backend keeps them (a child process, a GPU) and only come here when `data()` is called.
 */
export interface Tensor<D extends DType = DType> {
  readonly dtype: D;
  readonly shape: readonly number[];
  readonly location: 'host' | 'backend';
  /** The elements. For a `backend` tensor this copies them to the host. */
  data(): Promise<TensorData[D]>;
  /** Frees what the backend holds for it. Safe to call twice. */
  dispose(): void;
}

/** A tensor whose elements lie in this process, readable at once. */
export interface HostTensor<D extends DType = DType> extends Tensor<D> {
  readonly location: 'host';
  readonly values: TensorData[D];
}

/** Number of elements of a shape. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Wraps a typed array as a tensor; no copy.
 * @throws {InvalidArgumentError} when the shape does not hold as many elements as there are.
 */
export function hostTensor<D extends DType>(dtype: D, shape: readonly number[], values: TensorData[D]): HostTensor<D> {
  if (elementCount(shape) !== values.length) {
    throw new InvalidArgumentError({
      argument: 'shape',
      expected: `a shape of ${values.length} elements`,
      received: `[${shape.join(', ')}]`,
    });
  }
  return { dtype, shape, location: 'host', values, data: async () => values, dispose: () => {} };
}

/** Tells a host tensor from one that a backend holds. */
export function isHostTensor(tensor: Tensor): tensor is HostTensor {
  return tensor.location === 'host';
}
