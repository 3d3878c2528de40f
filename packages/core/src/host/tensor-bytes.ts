import { type DType, elementCount, type HostTensor, hostTensor, type TensorData } from '../backend/tensor.js';
import { BackendError } from '../errors/backend-error.js';

const BYTES_PER_ELEMENT: Readonly<Record<DType, number>> = { float32: 4, int64: 8, int32: 4, uint8: 1 };

/** The bytes of a host tensor's elements; a view, no copy. */
export function tensorBytes(values: TensorData[DType]): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/**
 * Bytes that came from another process as a host tensor. Copies only where they are not aligned for their type.
 * @throws {BackendError} when there are not as many bytes as the shape needs.
 */
export function tensorFromBytes(
  wire: { readonly dtype: DType; readonly shape: readonly number[]; readonly bytes: Uint8Array },
  backend: string,
): HostTensor {
  const size = BYTES_PER_ELEMENT[wire.dtype];
  const count = elementCount(wire.shape);
  if (wire.bytes.byteLength !== count * size) {
    const expected = `${count * size} bytes for ${wire.dtype} [${wire.shape.join(', ')}]`;
    throw new BackendError({ backend, message: `Expected ${expected} but received ${wire.bytes.byteLength}` });
  }
  const bytes = wire.bytes.byteOffset % size === 0 ? wire.bytes : wire.bytes.slice();
  const { buffer, byteOffset } = bytes;
  switch (wire.dtype) {
    case 'float32':
      return hostTensor('float32', wire.shape, new Float32Array(buffer, byteOffset, count));
    case 'int64':
      return hostTensor('int64', wire.shape, new BigInt64Array(buffer, byteOffset, count));
    case 'int32':
      return hostTensor('int32', wire.shape, new Int32Array(buffer, byteOffset, count));
    case 'uint8':
      return hostTensor('uint8', wire.shape, new Uint8Array(buffer, byteOffset, count));
  }
}
