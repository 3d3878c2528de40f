import { describe, expect, test } from 'vitest';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { parseSafetensorsHeader, SAFETENSORS_MAX_HEADER_BYTES, safetensorsHeaderLength } from './safetensors.js';
import { decodeTensorValues } from './tensor-values.js';

const FILE = '/models/a.safetensors';

/** A file of a header and so many bytes of data. */
function fileOf(header: string | object, dataBytes: number): { bytes: Uint8Array; fileSize: number; file: string } {
  const json = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return { bytes, fileSize: bytes.length + dataBytes, file: FILE };
}

const tensor = (shape: readonly unknown[], begin: unknown, end: unknown, dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
});

describe('a header', () => {
  test('gives every tensor where it lies, padding and metadata apart', () => {
    const header = {
      __metadata__: { format: 'pt' },
      b: tensor([3], 8, 14, 'BF16'),
      a: tensor([2], 0, 8),
      scalar: tensor([], 14, 22, 'I64'),
      empty: tensor([0, 5], 14, 14),
    };
    const source = fileOf(`${JSON.stringify(header)}     `, 22);
    const { tensors, metadata, dataOffset } = parseSafetensorsHeader(source);
    expect(dataOffset).toBe(source.bytes.length);
    expect(metadata).toEqual({ format: 'pt' });
    expect([...tensors.keys()]).toEqual(['a', 'b', 'empty', 'scalar']);
    expect(tensors.get('b')).toEqual({
      name: 'b',
      dtype: 'BF16',
      shape: [3],
      file: FILE,
      offset: dataOffset + 8,
      byteLength: 6,
    });
  });

  test('may hold names that objects have by nature', () => {
    const { tensors } = parseSafetensorsHeader(
      fileOf({ constructor: tensor([1], 0, 4), hasOwnProperty: tensor([1], 4, 8) }, 8),
    );
    expect(tensors.size).toBe(2);
    expect(tensors.get('toString')).toBeUndefined();
  });

  test.each<[string, object | string, number, RegExp]>([
    [
      'an unknown dtype',
      { a: tensor([2], 0, 8, 'F3') },
      8,
      /dtype .* in tensor a of .*a\.safetensors but received "F3"/,
    ],
    ['a dtype of an object', { a: tensor([2], 0, 8, 'toString') }, 8, /dtype/],
    ['a negative size', { a: tensor([-2], 0, 8) }, 8, /shape .* received \[-2\]/],
    ['a broken size', { a: tensor([1.5], 0, 6) }, 6, /shape/],
    ['a size past exact numbers', { a: tensor([2 ** 54], 0, 8) }, 8, /shape/],
    ['a shape of text', { a: tensor(['2'], 0, 8) }, 8, /shape/],
    ['too many dimensions', { a: tensor(new Array(9).fill(1), 0, 4) }, 4, /at most 8 whole numbers/],
    ['a product that overflows', { a: tensor([2 ** 32, 2 ** 32], 0, 8) }, 8, /bytes for F32/],
    ['a product that overflows to zero', { a: tensor([2 ** 32, 2 ** 32, 2 ** 32], 0, 0) }, 0, /bytes for F32/],
    ['too few bytes', { a: tensor([3], 0, 8) }, 8, /12 bytes for F32 \[3\] .* received 8 bytes/],
    ['offsets in the wrong order', { a: tensor([2], 8, 0) }, 8, /data_offsets in order/],
    ['offsets past the end', { a: tensor([4], 0, 16) }, 8, /within the 8 bytes/],
    ['offsets before the start', { a: tensor([2], -8, 0) }, 8, /data_offsets to be two whole numbers/],
    ['three offsets', { a: { dtype: 'F32', shape: [2], data_offsets: [0, 8, 8] } }, 8, /data_offsets to be two/],
    ['no offsets', { a: { dtype: 'F32', shape: [2] } }, 8, /data_offsets .* received nothing/],
    ['an entry that is no object', { a: 5 }, 8, /a JSON object in tensor a/],
    ['an overlap', { a: tensor([2], 0, 8), b: tensor([2], 4, 12) }, 12, /tensor b .* received 4/],
    ['a gap', { a: tensor([1], 0, 4), b: tensor([1], 8, 12) }, 12, /tensor b .* received 8/],
    ['a gap before the first', { a: tensor([1], 4, 8) }, 8, /tensor a/],
    ['bytes after the last', { a: tensor([1], 0, 4) }, 9, /a file of \d+ bytes/],
    [
      'a name twice',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /every key once/,
    ],
    ['a name without end', { ['n'.repeat(513)]: tensor([1], 0, 4) }, 4, /names of 1 to 512/],
    ['an empty name', { '': tensor([1], 0, 4) }, 4, /names of 1 to 512/],
    ['metadata of numbers', { __metadata__: { a: 1 } }, 0, /__metadata__/],
    ['metadata that is no object', { __metadata__: [] }, 0, /__metadata__/],
    ['a list', '[]', 0, /begins with "\{"/],
    ['a space first', ' {}', 0, /begins with "\{"/],
    ['a byte-order mark', '\ufeff{}', 0, /begins with "\{"/],
    ['no JSON', '{nonsense', 0, /key in double quotes/],
    ['more behind the JSON', '{}{}', 0, /nothing more/],
  ])('with %s is refused', (_, header, dataBytes, message) => {
    const source = fileOf(header, dataBytes);
    expect(() => parseSafetensorsHeader(source)).toThrow(InvalidCheckpointError);
    expect(() => parseSafetensorsHeader(source)).toThrow(message);
  });

  test('names file, tensor, what was expected and what came', () => {
    try {
      parseSafetensorsHeader(fileOf({ a: tensor([3], 0, 8) }, 8));
    } catch (error) {
      expect(error).toMatchObject({ file: FILE, tensor: 'a', expected: '12 bytes for F32 [3]', received: '8 bytes' });
    }
    expect.assertions(1);
  });
});

describe('the length of a header', () => {
  const lengthOf = (length: bigint, fileSize: number): number => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, length, true);
    return safetensorsHeaderLength({ bytes, fileSize, file: FILE });
  };

  test.each([
    [0n, 100],
    [1n, 100],
    [93n, 100],
    [2n ** 63n, 100],
    [2n ** 64n - 1n, 2 ** 40],
    [BigInt(SAFETENSORS_MAX_HEADER_BYTES) + 1n, 2 ** 40],
  ])('of %d in a file of %d bytes is refused before anything is read', (length, fileSize) => {
    expect(() => lengthOf(length, fileSize)).toThrow(InvalidCheckpointError);
  });

  test('may reach the end of the file', () => {
    expect(lengthOf(92n, 100)).toBe(92);
  });

  test('needs eight bytes, and the header all of its own', () => {
    expect(() => safetensorsHeaderLength({ bytes: new Uint8Array(7), fileSize: 7, file: FILE })).toThrow(
      /at least 8 bytes/,
    );
    const { bytes, fileSize } = fileOf({}, 0);
    expect(() => parseSafetensorsHeader({ bytes: bytes.subarray(0, 9), fileSize, file: FILE })).toThrow(
      /bytes of header/,
    );
  });
});

describe('the values of a tensor', () => {
  const decode = (
    dtype: 'F32' | 'F16' | 'BF16' | 'F64' | 'I64' | 'I32' | 'I16' | 'I8' | 'U8' | 'BOOL',
    bytes: ArrayBufferView,
  ) => {
    // At an odd place of a larger buffer: a view of it as numbers would not be allowed.
    const whole = new Uint8Array(bytes.byteLength + 3);
    whole.set(new Uint8Array(bytes.buffer), 3);
    const info = { name: 'a', dtype, shape: [bytes.byteLength], file: FILE, offset: 0, byteLength: bytes.byteLength };
    return decodeTensorValues(info, whole.subarray(3));
  };

  test('of whole numbers and floats come in the array of their type', () => {
    for (const [dtype, values] of [
      ['F32', Float32Array.of(1.5, -0, Number.NaN)],
      ['F64', Float64Array.of(Math.PI)],
      ['I64', BigInt64Array.of(-(2n ** 60n), 5n)],
      ['I32', Int32Array.of(-7, 2 ** 31 - 1)],
      ['I16', Int16Array.of(-32768)],
      ['I8', Int8Array.of(-128, 127)],
      ['U8', Uint8Array.of(0, 255)],
      ['BOOL', Uint8Array.of(0, 1)],
    ] as const) {
      expect(decode(dtype, values)).toEqual(values);
    }
  });

  test('of bfloat16 are the upper halves of float32', () => {
    expect(decode('BF16', Uint16Array.of(0x3f80, 0xc049, 0x7f80, 0x0001))).toEqual(
      Float32Array.of(1, -3.140625, Number.POSITIVE_INFINITY, 2 ** -133),
    );
  });

  test('of float16 are exact, from the smallest subnormal to the largest', () => {
    const halves = Uint16Array.of(
      0x0001,
      0x03ff,
      0x0400,
      0x3c00,
      0x3555,
      0x7bff,
      0xfbff,
      0x7c00,
      0xfc00,
      0x8000,
      0x7e00,
    );
    const floats = [2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, 1365 / 4096, 65504, -65504, Infinity, -Infinity, -0, NaN];
    expect(decode('F16', halves)).toEqual(Float32Array.from(floats));
    // Every finite half against its definition.
    const all = Uint16Array.from({ length: 0x7c00 }, (_, half) => half);
    const expected = Float32Array.from(all, (half) => {
      const exponent = half >> 10;
      const fraction = half & 0x3ff;
      return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
    });
    expect(Buffer.compare(new Uint8Array(decode('F16', all).buffer), new Uint8Array(expected.buffer))).toBe(0);
  });

  test('need as many bytes as the shape has', () => {
    const info = { name: 'a', dtype: 'F32', shape: [2], file: FILE, offset: 0, byteLength: 8 } as const;
    expect(() => decodeTensorValues(info, new Uint8Array(7))).toThrow(/8 bytes in tensor a .* received 7 bytes/);
  });
});
