import { expect, test } from 'vitest';
import { chooseWeights } from './weight-policy.js';

const GIB = 2 ** 30;
// 1.4 billion parameters of the published transformer's own.
const large = { component: 'transformer', weightBytes: 5.6e9 } as const;

test('auto folds what runs often, where there is memory for it', () => {
  expect(chooseWeights({ ...large, weights: 'auto', memoryBytes: 32 * GIB })).toBe('folded');
  expect(chooseWeights({ ...large, weights: 'auto', memoryBytes: 15 * GIB })).toBe('mapped');
  expect(chooseWeights({ component: 'textEncoder', weightBytes: 1e6, weights: 'auto', memoryBytes: 64 * GIB })).toBe(
    'mapped',
  );
});

test('what the user says holds', () => {
  expect(chooseWeights({ ...large, weights: 'folded', memoryBytes: GIB })).toBe('folded');
  expect(chooseWeights({ ...large, weights: 'mapped', memoryBytes: 64 * GIB })).toBe('mapped');
});
