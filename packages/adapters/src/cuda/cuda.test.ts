import { InvalidArgumentError } from '@vibe-edit/core/runtime';
import { expect, test } from 'vitest';
import { createBackend, cuda } from './index.js';

test.each([-1, 0.5, Number.NaN, '0'])('%s is no number of a GPU', async (deviceId) => {
  expect(() => cuda({ deviceId: deviceId as number })).toThrow(InvalidArgumentError);
  await expect(createBackend({ deviceId: deviceId as number })).rejects.toThrow(InvalidArgumentError);
});

test('describes itself so that another process can make it', () => {
  expect(cuda({ deviceId: 3 })).toMatchObject({ name: 'cuda', options: { deviceId: 3 } });
});
