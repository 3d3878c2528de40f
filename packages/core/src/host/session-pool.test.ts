import { describe, expect, test } from 'vitest';
import type { Component } from '../backend/component.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { AbortedError } from '../errors/aborted-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { loadConformanceData } from '../testing/conformance-cases.js';
import { createFakeBackend, type FakeBackendOptions } from '../testing/fake-backend.js';
import { componentBytes } from './component-memory.js';
import { createSessionPool, type SessionPoolOptions } from './session-pool.js';

const { checkpoint } = await loadConformanceData();

function setUp(
  options: Pick<SessionPoolOptions, 'memory'> & { memoryBytes?: number } & Pick<
      FakeBackendOptions,
      'before' | 'sessionBytes' | 'mapped'
    >,
) {
  const { memory, memoryBytes = 0, ...fakeOptions } = options;
  const backend = createFakeBackend(fakeOptions);
  const pool = createSessionPool({ backend, checkpoint, memory, memoryBytes });
  const visit = (component: Component) => pool.use(component, {}, async (session) => session.component);
  return { backend, pool, visit };
}

describe('session pool', () => {
  test('keep: a component is opened once and stays', async () => {
    const { backend, pool, visit } = setUp({ memory: 'keep' });
    for (const component of ['connector', 'transformer', 'connector'] as const)
      expect(await visit(component)).toBe(component);
    expect(backend.calls.map(({ kind, component }) => `${kind} ${component}`)).toEqual([
      'open connector',
      'open transformer',
    ]);
    await pool.close();
    expect(backend.openComponents).toEqual([]);
  });

  test('sequential: one component is open at a time, and stays while it is the one wanted', async () => {
    const { backend, visit } = setUp({ memory: 'sequential' });
    for (const component of ['connector', 'connector', 'transformer', 'vaeDecoder', 'connector'] as const) {
      await visit(component);
      expect(backend.openComponents).toEqual([component]);
    }
    expect(backend.calls.filter(({ kind }) => kind === 'open').length).toBe(4);
  });

  test('auto: what was not used for the longest time makes room', async () => {
    const sizes = componentBytes(checkpoint);
    const memoryBytes = 2 * (sizes.textEncoder + sizes.transformer + sizes.connector);
    const { backend, visit } = setUp({ memory: 'auto', memoryBytes });
    for (const component of ['connector', 'textEncoder', 'transformer', 'connector'] as const) await visit(component);
    expect(new Set(backend.openComponents)).toEqual(new Set(['textEncoder', 'connector', 'transformer']));
    await visit('vaeDecoder');
    expect(sizes.vaeDecoder).toBeLessThan(sizes.textEncoder);
    expect(new Set(backend.openComponents)).toEqual(new Set(['connector', 'transformer', 'vaeDecoder']));
  });

  test('auto: what a session says it takes counts, once it was open', async () => {
    const sizes = componentBytes(checkpoint);
    const memoryBytes = 2 * (sizes.transformer + sizes.connector);
    const { backend, visit } = setUp({ memory: 'auto', memoryBytes, sessionBytes: 1 });
    await visit('connector');
    await visit('textEncoder');
    await visit('transformer');
    await visit('vaeDecoder');
    expect(backend.openComponents.length).toBe(4);
  });

  test('auto: what is large and mapped does not stay', async () => {
    const memoryBytes = 64 * 2 ** 20;
    const { backend, pool, visit } = setUp({ memory: 'auto', memoryBytes, sessionBytes: 4 * 2 ** 20, mapped: true });
    await pool.use('textEncoder', {}, async () => {
      await visit('textEncoder');
      expect(backend.openComponents).toEqual(['textEncoder']);
    });
    await expect.poll(() => backend.openComponents).toEqual([]);
    expect(await visit('textEncoder')).toBe('textEncoder');
  });

  test('auto: with memory enough everything stays', async () => {
    const { backend, visit } = setUp({ memory: 'auto', memoryBytes: 64 * 2 ** 30 });
    for (const component of ['textEncoder', 'transformer', 'vaeDecoder', 'vaeEncoder'] as const) await visit(component);
    expect(backend.openComponents.length).toBe(4);
  });

  test('a component in use is not closed', async () => {
    const { backend, pool, visit } = setUp({ memory: 'sequential' });
    await pool.use('transformer', {}, async () => {
      await visit('connector');
      expect(new Set(backend.openComponents)).toEqual(new Set(['transformer', 'connector']));
    });
    await visit('vaeDecoder');
    expect(backend.openComponents).toEqual(['vaeDecoder']);
  });

  test('users at the same time share a session; other options are another session', async () => {
    const { backend, pool, visit } = setUp({ memory: 'keep' });
    await Promise.all([visit('transformer'), visit('transformer')]);
    await pool.use('transformer', { task: 'generate' }, async () => {});
    expect(backend.calls.filter(({ kind }) => kind === 'open').length).toBe(2);
  });

  test('what failed to open is tried again', async () => {
    let broken = true;
    const before = (): void => {
      if (broken) throw new Error('out of order');
    };
    const { visit } = setUp({ memory: 'keep', before });
    await expect(visit('connector')).rejects.toThrow('out of order');
    broken = false;
    expect(await visit('connector')).toBe('connector');
  });

  test('an abort does not wait for the opening, whose session serves the next user', async () => {
    let finish = (): void => {};
    const opened = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const { backend, pool, visit } = setUp({ memory: 'keep', before: () => opened });
    const controller = new AbortController();
    const aborted = pool.use('connector', { signal: controller.signal }, async () => {});
    controller.abort();
    await expect(aborted).rejects.toBeInstanceOf(AbortedError);
    finish();
    expect(await visit('connector')).toBe('connector');
    expect(backend.calls.length).toBe(1);
    await expect(pool.use('connector', { signal: controller.signal }, async () => {})).rejects.toBeInstanceOf(
      AbortedError,
    );
  });

  test('a closed pool serves nobody', async () => {
    const { pool, visit } = setUp({ memory: 'keep' });
    await visit('connector');
    await Promise.all([pool.close(), pool.close()]);
    await expect(visit('connector')).rejects.toBeInstanceOf(ClosedError);
  });
});

test('every weight of a checkpoint is counted for one component', () => {
  const folders = ['textEncoder', 'transformer', 'vae'] as const satisfies readonly (keyof Checkpoint)[];
  const elements = folders
    .flatMap((folder) => [...checkpoint[folder].stateDict.values()])
    .map(({ shape }) => shape.reduce((a, b) => a * b, 1));
  const sizes = componentBytes(checkpoint);
  expect(Object.values(sizes).reduce((a, b) => a + b)).toBe(4 * elements.reduce((a, b) => a + b));
  for (const [component, size] of Object.entries(sizes)) expect(size, component).toBeGreaterThan(0);
});
