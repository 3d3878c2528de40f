import { closeSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** Where a tensor's elements lie in a file, and of which type they are. */
export interface StoredTensor {
  readonly name: string;
  readonly file: string;
  readonly offset: number;
  readonly byteLength: number;
  readonly dtype: string;
}

/** Elements of many tensors in a few buffers. */
export interface ReadTensors {
  readonly slabs: Float32Array[];
  /** Where the elements of each tensor lie, in the order that was asked for. */
  readonly places: { readonly slab: number; readonly start: number; readonly length: number }[];
}

/**
 * Elements that share a buffer, at most, unless one tensor has more. Buffers of this size are the system's own pages, which it gets back
 * when they are freed; smaller ones a C library keeps for itself.
 */
const SLAB_ELEMENTS = 1 << 26;

/** Bytes read at once: they stay in the processor's cache until they are converted. */
const CHUNK_BYTES = 1 << 18;

/** Bits of the float32 of the same value, by the bits of a float16. */
let float16Table: Int32Array | undefined;

/**
 * Reads tensors of BF16, F16 or F64 as float32; F64 is rounded.
 * @throws {Error} when a file is shorter than its tensors, or a tensor of another type.
 */
export function readFloat32(tensors: readonly StoredTensor[]): ReadTensors {
  if (endianness() !== 'LE') throw new Error('Expected a little-endian machine');
  const { sizes, places } = place(tensors.map((tensor) => tensor.byteLength / converter(tensor).itemBytes));
  const slabs = sizes.map((size) => new Float32Array(size));
  const files = new Map<string, number>();
  try {
    for (const [index, tensor] of tensors.entries()) {
      const descriptor = files.get(tensor.file) ?? openSync(tensor.file, 'r');
      files.set(tensor.file, descriptor);
      const { slab, start, length } = places[index] as ReadTensors['places'][number];
      readTensor(descriptor, tensor, (slabs[slab] as Float32Array).subarray(start, start + length));
    }
    return { slabs, places };
  } finally {
    for (const descriptor of files.values()) closeSync(descriptor);
  }
}

/** Lays tensors into slabs, in order. */
function place(lengths: readonly number[]): { sizes: number[]; places: ReadTensors['places'] } {
  const sizes: number[] = [];
  const places = lengths.map((length) => {
    const last = sizes.at(-1);
    if (last === undefined || last + length > SLAB_ELEMENTS) sizes.push(0);
    const slab = sizes.length - 1;
    const start = sizes[slab] as number;
    sizes[slab] = start + length;
    return { slab, start, length };
  });
  return { sizes, places };
}

function readTensor(descriptor: number, tensor: StoredTensor, values: Float32Array): void {
  const { name, file, offset, byteLength } = tensor;
  const { itemBytes, convert } = converter(tensor);
  const chunk = new ArrayBuffer(Math.min(CHUNK_BYTES, byteLength));
  for (let done = 0; done < byteLength; ) {
    const wanted = Math.min(CHUNK_BYTES, byteLength - done);
    const bytes = new Uint8Array(chunk, 0, wanted);
    for (let read = 0; read < wanted; ) {
      const count = readSync(descriptor, bytes, read, wanted - read, offset + done + read);
      if (count === 0) throw new Error(`Expected ${byteLength} bytes of ${name} in ${file} but the file ends before`);
      read += count;
    }
    convert(chunk, wanted / itemBytes, values, done / itemBytes);
    done += wanted;
  }
}

interface Converter {
  readonly itemBytes: number;
  convert(from: ArrayBuffer, count: number, to: Float32Array, at: number): void;
}

function converter({ name, dtype }: StoredTensor): Converter {
  const known = CONVERTERS[dtype];
  if (known === undefined) throw new Error(`Expected BF16, F16 or F64 for ${name} but received ${dtype}`);
  return known;
}

const CONVERTERS: Readonly<Record<string, Converter>> = {
  BF16: {
    itemBytes: 2,
    convert(from, count, to, at) {
      const stored = new Uint16Array(from, 0, count);
      const bits = new Int32Array(to.buffer, to.byteOffset + 4 * at, count);
      // A bfloat16 is the upper half of a float32.
      for (let index = 0; index < count; index++) bits[index] = (stored[index] as number) << 16;
    },
  },
  F16: {
    itemBytes: 2,
    convert(from, count, to, at) {
      float16Table ??= createFloat16Table();
      const table = float16Table;
      const stored = new Uint16Array(from, 0, count);
      const bits = new Int32Array(to.buffer, to.byteOffset + 4 * at, count);
      for (let index = 0; index < count; index++) bits[index] = table[stored[index] as number] as number;
    },
  },
  F64: {
    itemBytes: 8,
    convert(from, count, to, at) {
      to.set(new Float64Array(from, 0, count), at);
    },
  },
};

function createFloat16Table(): Int32Array {
  const values = new Float32Array(1 << 16);
  for (let bits = 0; bits < values.length; bits++) {
    const [exponent, fraction] = [(bits >> 10) & 0x1f, bits & 0x3ff];
    const sign = bits & 0x8000 ? -1 : 1;
    if (exponent === 0) values[bits] = sign * fraction * 2 ** -24;
    else if (exponent < 0x1f) values[bits] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
    else values[bits] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  }
  return new Int32Array(values.buffer);
}
