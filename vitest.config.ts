import { defineConfig } from 'vitest/config';

export default defineConfig({
  // The composition root uses decorators on parameters; Vite reads this from no tsconfig that excludes tests.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: false } },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'scripts/**/*.test.ts', 'bench/**/*.test.ts'],
    // The decorators of the composition root need this polyfill before anything else is loaded.
    setupFiles: ['./test/setup.ts'],
    pool: 'forks',
    // Sessions of ONNX Runtime are multi-threaded themselves; more workers than this only fight for the cores.
    maxWorkers: 2,
    // A slow or busy machine is no failure; what must be fast is measured where it matters.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    env: { OMP_NUM_THREADS: '1' },
  },
});
