import assert from 'node:assert/strict';
import type { Backend, Session } from '../backend/backend.js';
import { COMPONENTS, type Component } from '../backend/component.js';
import { type HostTensor, hostTensor, isHostTensor, type Tensor } from '../backend/tensor.js';
import { AbortedError } from '../errors/aborted-error.js';
import { BackendError } from '../errors/backend-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { type ConformanceCase, type ConformanceData, loadConformanceData } from './conformance-cases.js';
import { createFakeBackend } from './fake-backend.js';

/** What the suite needs of a test runner; vitest's and jest's functions fit. */
export interface TestRunner {
  describe(name: string, define: () => void): void;
  test(name: string, run: () => Promise<void>, timeoutMs: number): void;
  beforeAll(run: () => Promise<void>, timeoutMs: number): void;
  afterAll(run: () => Promise<void>, timeoutMs: number): void;
}

export interface BackendConformanceOptions {
  /** Name of the suite, e.g. `cpu`. */
  name: string;
  runner: TestRunner;
  /** Makes the backend; called more than once. */
  createBackend(): Backend | Promise<Backend>;
  /** Largest absolute difference from the published implementation in float32. Default 1e-4. */
  tolerance?: number;
  /** For each test. Default 60,000. */
  timeoutMs?: number;
}

const DEFAULT_TOLERANCE = 1e-4;
const DEFAULT_TIMEOUT_MS = 60_000;

/**
 * Defines tests that every backend must pass. They bring their own small checkpoint; its expected outputs come from the published
 * implementation.
 *
 * @example
 * ```ts
 * import { createInlineBackend } from '@vibe-edit/core';
 * import { backendConformance } from '@vibe-edit/core/testing';
 * import { cpu } from '@vibe-edit/adapters/cpu';
 * import * as runner from 'vitest';
 *
 * backendConformance({ name: 'cpu', runner, createBackend: () => createInlineBackend(cpu()) });
 * ```
 */
export function backendConformance(options: BackendConformanceOptions): void {
  const { name, runner, tolerance = DEFAULT_TOLERANCE, timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  runner.describe(`conformance of the backend ${name}`, () => {
    let backend: Backend;
    let data: ConformanceData;
    const test = (title: string, run: () => Promise<void>): void => runner.test(title, run, timeoutMs);
    const open = (component: Component): Promise<Session> => backend.open(component, data.checkpoint);
    const firstCase = (component: Component): ConformanceCase => data.cases(component)[0] as ConformanceCase;

    /** Opens a component for the time of some work. */
    async function using<Result>(component: Component, work: (session: Session) => Promise<Result>): Promise<Result> {
      const session = await open(component);
      try {
        return await work(session);
      } finally {
        await session.close();
      }
    }

    /** A case's inputs; those of the transformer with keys and values from this backend, kept there. */
    async function inputsOf(component: Component, index: number): Promise<Record<string, Tensor>> {
      const { inputs } = data.cases(component)[index] as ConformanceCase;
      if (component !== 'transformer') return inputs;
      const prompt = (data.cases('transformerContext')[index] as ConformanceCase).inputs;
      const context = await using('transformerContext', (session) => session.run(prompt, { keep: session.outputs }));
      return { ...context, ...inputs };
    }

    runner.beforeAll(async () => {
      data = await loadConformanceData();
      backend = await options.createBackend();
    }, timeoutMs);
    runner.afterAll(() => backend.close(), timeoutMs);

    for (const component of COMPONENTS) {
      test(`${component}: the published results, several sizes in one session`, async () => {
        const cases = data.cases(component);
        assert.ok(cases.length >= 2);
        const session = await open(component);
        assert.equal(session.component, component);
        for (const [index, { outputs: expected }] of cases.entries()) {
          const inputs = await inputsOf(component, index);
          assert.deepEqual([...session.inputs].sort(), Object.keys(inputs).sort());
          const outputs = await session.run(inputs);
          assert.deepEqual(Object.keys(outputs).sort(), [...session.outputs].sort());
          for (const output of Object.values(outputs)) {
            assert.equal(output.dtype, 'float32');
            assert.equal(output.location, 'host');
          }
          for (const [output, value] of Object.entries(expected))
            await assertClose(output, outputs[output], value, tolerance);
        }
        await session.close();
      });
    }

    test('a kept tensor is read, goes into another session, and outlives its own', async () => {
      const { inputs, outputs: expected } = firstCase('connector');
      const kept = await using('connector', (session) => session.run(inputs, { keep: ['prompt_embeds'] }));
      const prompt = kept.prompt_embeds as Tensor;
      assert.equal(prompt.location, 'backend');
      assert.deepEqual(prompt.shape, expected.prompt_embeds?.shape);
      await assertClose('prompt_embeds', prompt, expected.prompt_embeds as HostTensor, tolerance);
      await using('transformerContext', async (session) => {
        const fromKept = await session.run({ prompt_embeds: prompt });
        const fromHost = await session.run({ prompt_embeds: await toHost(prompt) });
        for (const output of session.outputs) {
          await assertClose(output, fromKept[output], await toHost(fromHost[output] as Tensor), tolerance);
        }
        prompt.dispose();
        prompt.dispose();
        await assert.rejects(prompt.data(), BackendError);
        await assert.rejects(session.run({ prompt_embeds: prompt }), BackendError);
      });
    });

    test('only the outputs that are asked for come, and kept ones stay', async () => {
      await using('transformerContext', async (session) => {
        const { inputs } = firstCase('transformerContext');
        const chosen = await session.run(inputs, { outputs: ['value.0', 'key.1'], keep: ['key.1'] });
        assert.deepEqual(Object.keys(chosen).sort(), ['key.1', 'value.0']);
        assert.equal(chosen['value.0']?.location, 'host');
        assert.equal(chosen['key.1']?.location, 'backend');
        chosen['key.1']?.dispose();
      });
    });

    test('inputs are left as they are', async () => {
      const { inputs } = firstCase('vaeEncoder');
      const before = new Map(Object.entries(inputs).map(([input, tensor]) => [input, tensor.values.slice()]));
      await using('vaeEncoder', (session) => session.run(inputs));
      for (const [input, tensor] of Object.entries(inputs)) assert.deepEqual(tensor.values, before.get(input));
    });

    test('wrong inputs and outputs are typed errors, and the session goes on', async () => {
      const { inputs } = firstCase('transformer');
      const context = await inputsOf('transformer', 0);
      const { latents, timestep } = inputs as Record<string, HostTensor<'float32'>>;
      assert.ok(latents !== undefined && timestep !== undefined);
      const { latents: _, ...missing } = context;
      const stranger = await foreignTensor(data);
      const wrong: Record<string, Record<string, Tensor>> = {
        'a missing input': missing,
        'an unknown input': { ...context, unknown: timestep },
        'a wrong dtype': { ...context, timestep: hostTensor('int32', [1], Int32Array.of(1)) },
        'a wrong rank': { ...context, timestep: hostTensor('float32', [1, 1], Float32Array.of(1)) },
        'a wrong size': { ...context, latents: hostTensor('float32', [1, 1, 1, 1], Float32Array.of(1)) },
        'sizes that differ': { ...context, timestep: hostTensor('float32', [3], Float32Array.of(1, 2, 3)) },
        'a tensor of another backend': { ...context, 'key.0': stranger },
      };
      await using('transformer', async (session) => {
        for (const [what, given] of Object.entries(wrong)) await assert.rejects(session.run(given), BackendError, what);
        await assert.rejects(session.run(context, { outputs: ['unknown'] }), BackendError);
        await assert.rejects(session.run(context, { keep: ['unknown'] }), BackendError);
        assert.ok((await session.run(context)).prediction);
      });
    });

    test('a tap that no module has is a typed error', async () => {
      const taps = ['transformer.no_such_module'];
      await assert.rejects(backend.open('transformer', data.checkpoint, { taps }), InvalidArgumentError);
    });

    test('dimensions can be fixed', async () => {
      const { inputs, outputs: expected } = firstCase('connector');
      const session = await backend.open('connector', data.checkpoint, { dimensions: { batch: 1 } });
      const outputs = await session.run(inputs);
      await assertClose('prompt_embeds', outputs.prompt_embeds, expected.prompt_embeds as HostTensor, tolerance);
      await session.close();
    });

    test('an abort is a typed error, before and during a call, and the session goes on', async () => {
      const signal = AbortSignal.abort('enough');
      await assert.rejects(backend.open('vaeDecoder', data.checkpoint, { signal }), AbortedError);
      const { inputs } = firstCase('vaeDecoder');
      await using('vaeDecoder', async (session) => {
        await assert.rejects(session.run(inputs, { signal }), AbortedError);
        const controller = new AbortController();
        const running = session.run(inputs, { signal: controller.signal });
        controller.abort();
        await assert.rejects(running, AbortedError);
        assert.ok((await session.run(inputs)).image);
      });
    });

    test('runs at the same time give each its own result', async () => {
      const cases = data.cases('connector');
      await using('connector', async (session) => {
        const many = [...cases, ...cases, ...cases];
        const results = await Promise.all(many.map(({ inputs }) => session.run(inputs)));
        for (const [index, { outputs: expected }] of many.entries()) {
          await assertClose(
            'prompt_embeds',
            results[index]?.prompt_embeds,
            expected.prompt_embeds as HostTensor,
            tolerance,
          );
        }
      });
    });

    test('closing waits for runs, can be done twice, and the component opens again', async () => {
      const { inputs } = firstCase('connector');
      const session = await open('connector');
      const running = session.run(inputs);
      await Promise.all([session.close(), session.close()]);
      assert.ok((await running).prompt_embeds);
      await assert.rejects(session.run(inputs), ClosedError);
      await using('connector', async (again) => {
        assert.ok((await again.run(inputs)).prompt_embeds);
      });
    });

    test('a closed backend opens nothing', async () => {
      const other = await options.createBackend();
      await other.open('connector', data.checkpoint);
      await Promise.all([other.close(), other.close()]);
      await assert.rejects(other.open('connector', data.checkpoint), ClosedError);
    });
  });
}

async function toHost(tensor: Tensor): Promise<HostTensor> {
  return isHostTensor(tensor) ? tensor : hostTensor(tensor.dtype, tensor.shape, await tensor.data());
}

/** A tensor that no backend under test knows. */
async function foreignTensor(data: ConformanceData): Promise<Tensor> {
  const stranger = createFakeBackend();
  const session = await stranger.open('transformerContext', data.checkpoint);
  const { inputs } = data.cases('transformerContext')[0] as ConformanceCase;
  return (await session.run(inputs, { keep: ['key.0'] }))['key.0'] as Tensor;
}

async function assertClose(
  name: string,
  received: Tensor | undefined,
  expected: HostTensor,
  tolerance: number,
): Promise<void> {
  assert.ok(received !== undefined, `no output ${name}`);
  assert.deepEqual(received.shape, expected.shape, `shape of ${name}`);
  const values = await received.data();
  let largest = 0;
  for (const [index, value] of expected.values.entries()) {
    const difference = Math.abs(Number(values[index]) - Number(value));
    // Written so that NaN is a difference.
    if (!(difference <= largest)) largest = difference;
  }
  assert.ok(largest <= tolerance, `${name} differs by ${largest}, more than ${tolerance}`);
}
