import { BackendUnavailableError } from '@vibe-edit/core/runtime';
import { expect, test, vi } from 'vitest';
import { loadOrt } from './load-ort.js';

vi.mock('onnxruntime-node', () => {
  throw new Error('Cannot find module onnxruntime_binding.node');
});

test('without ONNX Runtime the error says what to do', async () => {
  const error = await loadOrt('cpu').catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(BackendUnavailableError);
  expect(error).toMatchObject({ backend: 'cpu', message: expect.stringContaining('npm install onnxruntime-node') });
});
