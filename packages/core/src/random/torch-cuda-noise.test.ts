import { expect, test } from 'vitest';
import { InvalidArgumentError } from '../errors/index.js';
import { philox4x32, type Words2, type Words4 } from './philox.js';
import { createTorchCudaNoise } from './torch-cuda-noise.js';

const ONES = 0xffffffff;

test.each<[Words4, Words2, Words4]>([
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [ONES, ONES, ONES, ONES],
    [ONES, ONES],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
])('Philox of %j with key %j gives the published words', (counter, key, expected) => {
  expect(philox4x32(counter, key)).toEqual(expected);
});

test.each([
  [42, [0.194, 2.1614, -0.1721, 0.8491, -1.9244, 0.653, -0.6494, -0.8175]],
  [0, [-0.9247, -0.4253, -2.6438, 0.1452, -0.1209, -0.5797, -0.6229, -0.3284]],
])('seed %i begins with the numbers that torch prints on CUDA', (seed, expected) => {
  const drawn = createTorchCudaNoise()
    .create(seed)
    .normal({ shape: [2, 4] });
  expect(Array.from(drawn.values, (value) => Math.round(value * 1e4) / 1e4)).toEqual(expected);
});

test('the first numbers do not depend on how many are drawn', () => {
  const source = createTorchCudaNoise();
  const short = source.create(7).normal({ shape: [100] }).values;
  const long = source.create(7).normal({ shape: [1, 32, 16, 16] }).values;
  expect(long.slice(0, 100)).toEqual(short);
});

test('with fewer threads than elements, a thread makes several from one counter, then from the next', () => {
  const one = createTorchCudaNoise({ multiprocessors: 1, threadsPerMultiprocessor: 256 }).create(5);
  const many = createTorchCudaNoise().create(5);
  const strided = one.normal({ shape: [256 * 5] }).values;
  const firstCounter = many.normal({ shape: [256] }).values;
  const secondCounter = many.normal({ shape: [256] }).values;
  expect(strided.slice(0, 256)).toEqual(firstCounter);
  expect(strided.slice(1024)).toEqual(secondCounter);
  // Two counters were used up: the next draw of both generators agrees again.
  expect(one.normal({ shape: [10] }).values).toEqual(many.normal({ shape: [10] }).values);
});

test('normals have mean 0 and variance 1', () => {
  const { values } = createTorchCudaNoise({ multiprocessors: 4 })
    .create(1)
    .normal({ shape: [100_000] });
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  expect(mean).toBeCloseTo(0, 1);
  expect(variance).toBeCloseTo(1, 1);
});

test('bfloat16 draws are the float32 draws, rounded', () => {
  const source = createTorchCudaNoise();
  const exact = source.create(3).normal({ shape: [33] }).values;
  const rounded = source.create(3).normal({ shape: [33], dtype: 'bfloat16' }).values;
  for (const [i, value] of exact.entries()) {
    expect(Math.abs(rounded[i]! - value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -8);
  }
});

test('a GPU without multiprocessors is refused', () => {
  expect(() => createTorchCudaNoise({ multiprocessors: 0 })).toThrow(InvalidArgumentError);
  expect(() => createTorchCudaNoise({ threadsPerMultiprocessor: 1.5 })).toThrow(InvalidArgumentError);
});
