import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goldenTensors, maxDifference } from '../../../../test/golden-vectors.js';
import { InvalidArgumentError } from '../errors/index.js';
import type { NoiseDType } from './noise-source.js';
import { torchCpuNoise } from './torch-cpu-noise.js';

const tensors = goldenTensors('vectors/randn.safetensors');
const dtypes: Record<string, NoiseDType> = { f32: 'float32', bf16: 'bfloat16' };

const fresh = [...tensors].filter(([name]) => name.includes('/shape=') && !name.includes('list-of-generators'));

test.each(fresh)('draws %s as torch does, bit by bit', (name, expected) => {
  const [short, seed] = name.split('/');
  const generator = torchCpuNoise.create(BigInt(seed!.replace('seed=', '')));
  const drawn = generator.normal({ shape: expected.shape, dtype: dtypes[short!]! });
  expect(drawn.shape).toEqual(expected.shape);
  expect(maxDifference(drawn.values, expected.values)).toBe(0);
});

const seeds = [0, 42, 2147483647, 2 ** 40 + 5];
const sizes = [5, 17, 3, 16, 15, 40, 2];
const sequences = Object.keys(dtypes).flatMap((short) => seeds.map((seed) => ({ short, seed })));

test.each(sequences)('$short draws of seed $seed follow each other from one generator', ({ short, seed }) => {
  const generator = torchCpuNoise.create(seed);
  for (const [i, size] of sizes.entries()) {
    const expected = tensors.get(`${short}/seed=${seed}/sequence/${i}:${size}`);
    const drawn = generator.normal({ shape: [size], dtype: dtypes[short]! });
    expect(maxDifference(drawn.values, expected!.values)).toBe(0);
  }
});

test.each([
  ['3x4x5x3', [0, 42, 2147483647], [4, 5, 3]],
  ['2x2x2x2', [0, 42], [2, 2, 2]],
])('a list of generators draws %s row by row', (label, rowSeeds, shape) => {
  const rows = rowSeeds.map((seed) => torchCpuNoise.create(seed).normal({ shape }).values);
  const expected = tensors.get(`f32/list-of-generators/shape=${label}`);
  expect(
    maxDifference(
      rows.flatMap((row) => [...row]),
      expected!.values,
    ),
  ).toBe(0);
});

test('every golden tensor is compared', () => {
  expect(fresh.length + 2 * seeds.length * sizes.length + 2).toBe(tensors.size);
});

test('like torch, the CPU generator looks at the low 32 bits of a seed', () => {
  const draw = (seed: number | bigint) => torchCpuNoise.create(seed).normal({ shape: [16] }).values;
  expect(draw(2 ** 32 + 7)).toEqual(draw(7));
  expect(draw(-1)).toEqual(draw(2n ** 64n - 1n));
});

test('a seed or shape that torch does not take is refused', () => {
  for (const seed of [0.5, Number.NaN, 2 ** 60, 2n ** 64n, -(2n ** 63n) - 1n]) {
    expect(() => torchCpuNoise.create(seed)).toThrow(InvalidArgumentError);
  }
  const generator = torchCpuNoise.create(0);
  for (const shape of [[-1], [1.5], [2 ** 20, 2 ** 20]]) {
    expect(() => generator.normal({ shape })).toThrow(InvalidArgumentError);
  }
  expect(generator.normal({ shape: [2, 0] }).values).toHaveLength(0);
});

test('any shape of one count holds the same numbers', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      (seed, a, b) => {
        const flat = torchCpuNoise.create(seed).normal({ shape: [a * b] }).values;
        const shaped = torchCpuNoise.create(seed).normal({ shape: [a, 1, b] }).values;
        expect(shaped).toEqual(flat);
        expect(flat.every(Number.isFinite)).toBe(true);
      },
    ),
  );
});
