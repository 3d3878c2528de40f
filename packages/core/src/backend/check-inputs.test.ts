import { describe, expect, test } from 'vitest';
import { BackendError } from '../errors/backend-error.js';
import { checkInputs, type InputSpec } from './check-inputs.js';
import { hostTensor, type Tensor } from './tensor.js';

const expected: InputSpec[] = [
  { name: 'latents', dtype: 'float32', shape: ['batch', 2, 'size'] },
  { name: 'ids', dtype: 'int64', shape: ['batch'] },
];
const latents = hostTensor('float32', [3, 2, 1], new Float32Array(6));
const ids = hostTensor('int64', [3], new BigInt64Array(3));
const check = (given: Record<string, Tensor>): void =>
  checkInputs({ backend: 'cpu', component: 'transformer', expected, given });

describe('checkInputs', () => {
  test('takes what fits, whatever the symbolic sizes are', () => {
    check({ latents, ids });
    check({
      ids: hostTensor('int64', [0], new BigInt64Array(0)),
      latents: hostTensor('float32', [0, 2, 9], new Float32Array(0)),
    });
  });

  test.each([
    { what: 'missing', given: { latents }, message: 'Expected int64 [batch] for input ids but received nothing' },
    {
      what: 'of another type',
      given: { latents, ids: hostTensor('float32', [3], new Float32Array(3)) },
      message: 'Expected int64 [batch] for input ids but received float32 [3]',
    },
    {
      what: 'of another rank',
      given: { latents, ids: hostTensor('int64', [3, 1], new BigInt64Array(3)) },
      message: 'Expected int64 [batch] for input ids but received int64 [3, 1]',
    },
    {
      what: 'of another size',
      given: { latents: hostTensor('float32', [3, 1, 1], new Float32Array(3)), ids },
      message: 'Expected float32 [batch, 2, size] for input latents but received float32 [3, 1, 1]',
    },
    {
      what: 'at odds with another',
      given: { latents, ids: hostTensor('int64', [2], new BigInt64Array(2)) },
      message:
        'Expected int64 [batch] with batch = 3, as for the inputs before it, for input ids but received int64 [2]',
    },
    {
      what: 'unknown',
      given: { latents, ids, more: ids },
      message: 'Expected the inputs latents, ids but received more as well',
    },
  ])('an input that is $what', ({ given, message }) => {
    expect(() => check(given)).toThrow(BackendError);
    expect(() => check(given)).toThrow(message);
  });
});
