import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import type { TensorInfo } from './tensor-info.js';

/** The elements of a tensor. Half-precision floats come widened to float32, which is exact. */
export type TensorValues =
  | Float32Array
  | Float64Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

/**
 * Turns the little-endian bytes of a tensor into numbers: F32, F16 and BF16 into a Float32Array, BOOL and U8 into a
 * Uint8Array, the others into the array of their own type. Copies.
 * @throws {InvalidCheckpointError} when there are not as many bytes as the shape needs.
 */
export function decodeTensorValues(info: TensorInfo, bytes: Uint8Array): TensorValues {
  if (bytes.length !== info.byteLength) {
    throw new InvalidCheckpointError({
      file: info.file,
      tensor: info.name,
      expected: `${info.byteLength} bytes`,
      received: `${bytes.length} bytes`,
    });
  }
  // A copy starts at a multiple of every element size. Its order is the machine's: little-endian wherever Node or a browser runs.
  const { buffer } = bytes.slice();
  switch (info.dtype) {
    case 'F32':
      return new Float32Array(buffer);
    case 'F64':
      return new Float64Array(buffer);
    case 'F16':
      return widen(new Uint16Array(buffer), float16Bits);
    case 'BF16':
      return widen(new Uint16Array(buffer), (word) => word << 16);
    case 'I64':
      return new BigInt64Array(buffer);
    case 'I32':
      return new Int32Array(buffer);
    case 'I16':
      return new Int16Array(buffer);
    case 'I8':
      return new Int8Array(buffer);
    case 'U8':
    case 'BOOL':
      return new Uint8Array(buffer);
  }
}

function widen(halves: Uint16Array, floatBits: (half: number) => number): Float32Array {
  const words = new Int32Array(halves.length);
  for (let index = 0; index < halves.length; index++) words[index] = floatBits(halves[index]!);
  return new Float32Array(words.buffer);
}

/** The float32 bits of a binary16 number (IEEE 754-2008, 3.4). */
function float16Bits(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >> 10) & 0x1f;
  const fraction = half & 0x3ff;
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13);
  if (exponent !== 0) return sign | ((exponent + 112) << 23) | (fraction << 13);
  if (fraction === 0) return sign;
  // A subnormal half is a normal float: shift the leading one to where it is implied.
  const shift = Math.clz32(fraction) - 21;
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13);
}
