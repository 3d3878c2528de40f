import { expect, test } from 'vitest';
import { chooseWeights } from './weight-policy.js';

const GIB = 2 ** 30;
// 1.6 billion parameters of the published transformer.
const large = { component: 'transformer', weightBytes: 6.4e9 } as const;

test('auto converts what runs often, where there is memory for it', () => {
  expect(chooseWeights({ ...large, weights: 'auto', memoryBytes: 15 * GIB })).toBe('converted');
  expect(chooseWeights({ ...large, weights: 'auto', memoryBytes: 11 * GIB })).toBe('mapped');
  expect(chooseWeights({ component: 'textEncoder', weightBytes: 1e6, weights: 'auto', memoryBytes: 64 * GIB })).toBe(
    'mapped',
  );
});

test('what the user says holds', () => {
  expect(chooseWeights({ ...large, weights: 'converted', memoryBytes: GIB })).toBe('converted');
  expect(chooseWeights({ ...large, weights: 'mapped', memoryBytes: 64 * GIB })).toBe('mapped');
});
