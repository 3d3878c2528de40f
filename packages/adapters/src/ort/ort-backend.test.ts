import { backendConformance } from '@vibe-edit/core/testing';
import * as runner from 'vitest';
import { createOrtBackend } from './ort-backend.js';

backendConformance({
  name: 'ONNX Runtime, every matrix converted here and fed',
  runner,
  createBackend: () =>
    createOrtBackend({
      name: 'cpu',
      executionProviders: ['cpu'],
      plan: () => ({
        target: { attention: 'plain', embeddings: 'stored', matrixInputs: 1 },
        threads: 1,
        entries: {},
      }),
      outputLocation: 'cpu',
      tensorsOutliveSessions: true,
      missing: () => undefined,
    }),
});
