import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TensorInfo } from '@vibe-edit/core/runtime';
import { expect, onTestFinished, test } from 'vitest';
import { loadMatrices } from './load-matrices.js';

async function stored(dtype: TensorInfo['dtype'], bytes: Uint8Array): Promise<TensorInfo> {
  const folder = await mkdtemp(join(tmpdir(), 'vibe-matrices-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'weights');
  // Something before it: the offset counts.
  await writeFile(file, Buffer.concat([Buffer.from('head'), bytes]));
  const itemBytes = dtype === 'F64' ? 8 : 2;
  return { name: 'weight', dtype, shape: [bytes.length / itemBytes, 1], file, offset: 4, byteLength: bytes.length };
}

async function load(dtype: TensorInfo['dtype'], data: ArrayBufferView): Promise<number[]> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  const weights = [{ name: 'weight', tensor: await stored(dtype, bytes) }];
  return [...((await loadMatrices({ weights, threads: 1 })).get('weight') as Float32Array)];
}

test('bfloat16 is the upper half of a float32', async () => {
  const bits = Uint16Array.of(0x3f80, 0xc000, 0x3fc0, 0x0001, 0x8000, 0x7f80);
  expect(await load('BF16', bits)).toEqual([1, -2, 1.5, 2 ** -133, -0, Number.POSITIVE_INFINITY]);
});

test('float16: normal, subnormal, infinite and not a number', async () => {
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001, 0x83ff, 0xfc00, 0x7e00, 0x8000);
  expect(await load('F16', bits)).toEqual([
    1,
    -2,
    65504,
    2 ** -24,
    -1023 * 2 ** -24,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    -0,
  ]);
});

test('float64 is rounded', async () => {
  expect(await load('F64', Float64Array.of(0.1, -3, 1e300))).toEqual([Math.fround(0.1), -3, Number.POSITIVE_INFINITY]);
});

test('a tensor of several chunks', async () => {
  const bits = Uint16Array.from({ length: 300_001 }, (_, index) => index % 0x7f80);
  const values = await load('BF16', bits);
  const expected = new Float32Array(Uint32Array.from(bits, (value) => value * 2 ** 16).buffer);
  expect(values).toEqual([...expected]);
});

test('a file that ends before the tensor does is an error that names it', async () => {
  const tensor = { ...(await stored('BF16', Uint8Array.of(1, 2))), byteLength: 8 };
  await expect(loadMatrices({ weights: [{ name: 'weight', tensor }], threads: 1 })).rejects.toThrow(
    /Expected 8 bytes of weight in .*weights but the file ends before/,
  );
});
