import { cpu } from '@vibe-edit/adapters/cpu';
import { createInlineBackend, createProcessBackend } from '@vibe-edit/core';
import { backendConformance } from '@vibe-edit/core/testing';
import * as runner from 'vitest';

for (const weights of ['mapped', 'converted', 'auto'] as const) {
  const description = cpu({ threads: 1, weights });
  backendConformance({
    name: `cpu, weights ${weights}, in this process`,
    runner,
    createBackend: () => createInlineBackend(description),
  });
}

backendConformance({
  name: 'cpu, in a child process',
  runner,
  createBackend: () => createProcessBackend(cpu({ threads: 1 })),
});
