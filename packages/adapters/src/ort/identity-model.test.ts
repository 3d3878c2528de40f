import { expect, test } from 'vitest';
import { identityModel } from './identity-model.js';
import { loadOrt } from './load-ort.js';

test('the model returns tensors of any shape', async () => {
  const { InferenceSession, Tensor } = await loadOrt('cpu');
  const session = await InferenceSession.create(identityModel());
  for (const shape of [[], [6], [2, 3], [1, 1, 2, 3]]) {
    const values = Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, Math.sqrt);
    const { y } = await session.run({ x: new Tensor('float32', values, shape) });
    expect(y?.dims).toEqual(shape);
    expect(y?.data).toEqual(values);
  }
  await session.release();
});
