import { cp, mkdtemp, readFile, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCheckpoint } from '@vibe-edit/core';
import {
  type Backend,
  BackendError,
  type Checkpoint,
  InvalidArgumentError,
  InvalidCheckpointError,
  type Tensor,
} from '@vibe-edit/core/runtime';
import { exampleInputs, loadConformanceData } from '@vibe-edit/core/testing';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cpu, createBackend } from './index.js';

const { checkpoint } = await loadConformanceData();

async function startBackend(): Promise<Backend> {
  const backend = await createBackend({ threads: 1 });
  onTestFinished(() => backend.close());
  return backend;
}

/** A copy of the checkpoint that a test may damage. */
async function copyCheckpoint(): Promise<Checkpoint> {
  const folder = await mkdtemp(join(tmpdir(), 'vibe-cpu-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await cp(checkpoint.path, folder, { recursive: true });
  return openCheckpoint(folder);
}

describe('cpu()', () => {
  test('describes a backend that another process can make', async () => {
    const description = cpu({ threads: 2, weights: 'converted' });
    expect(description).toMatchObject({ name: 'cpu', options: { threads: 2, weights: 'converted' } });
    expect(structuredClone(description)).toEqual(description);
    expect(await readFile(new URL(description.module), 'utf8')).toContain('createBackend');
  });

  test.each([
    [{ threads: 0 }, 'threads'],
    [{ threads: 1.5 }, 'threads'],
    [{ weights: 'packed' as 'converted' }, 'weights'],
  ])('refuses %o', (options, argument) => {
    expect(() => cpu(options)).toThrow(InvalidArgumentError);
    expect(() => cpu(options)).toThrow(argument);
  });
});

describe('the CPU backend', () => {
  test('opens taps beside the outputs', async () => {
    const backend = await startBackend();
    const taps = ['transformer.transformer_blocks.0', 'transformer.transformer_blocks.1.ff'];
    const context = await backend.open('transformerContext', checkpoint);
    const keys = await context.run(exampleInputs({ component: 'transformerContext', checkpoint }), {
      keep: context.outputs,
    });
    const session = await backend.open('transformer', checkpoint, { taps });
    expect(session.outputs).toEqual(['prediction', ...taps]);
    const inputs = exampleInputs({ component: 'transformer', checkpoint, context: keys });
    expect(Object.keys(await session.run(inputs))).toEqual(['prediction']);
    const tapped = await session.run(inputs, { outputs: taps });
    expect(Object.keys(tapped)).toEqual(taps);
    for (const tap of taps) expect(tapped[tap]?.shape.at(-1)).toBeGreaterThan(1);
  });

  test('does not take tensors of another of its kind', async () => {
    const [one, other] = [await startBackend(), await startBackend()];
    const connector = await one.open('connector', checkpoint);
    const { prompt_embeds } = await connector.run(exampleInputs({ component: 'connector', checkpoint }), {
      keep: ['prompt_embeds'],
    });
    const session = await other.open('transformerContext', checkpoint);
    await expect(session.run({ prompt_embeds: prompt_embeds as Tensor })).rejects.toBeInstanceOf(BackendError);
  });

  test('names the weight that is missing', async () => {
    const backend = await startBackend();
    const stateDict = new Map(checkpoint.transformer.stateDict);
    stateDict.delete('proj_out.weight');
    const damaged = { ...checkpoint, transformer: { ...checkpoint.transformer, stateDict } };
    const error = await backend.open('transformer', damaged).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidCheckpointError);
    expect(error).toMatchObject({ message: expect.stringContaining('proj_out.weight') });
  });

  test('a weight file that was cut after it was checked is a typed error', async () => {
    const backend = await startBackend();
    const damaged = await copyCheckpoint();
    const { file, offset } = [...damaged.transformer.stateDict.values()][0]!;
    await truncate(file, offset);
    const error = await backend.open('transformer', damaged).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ backend: 'cpu', component: 'transformer' });
  });

  test('one session serves batches and sizes in any order', async () => {
    const backend = await startBackend();
    const session = await backend.open('vaeDecoder', checkpoint);
    for (const [batch, height, width] of [
      [1, 2, 3],
      [3, 1, 1],
      [2, 5, 2],
      [1, 2, 3],
    ] as const) {
      const { image } = await session.run(exampleInputs({ component: 'vaeDecoder', checkpoint, batch, height, width }));
      expect(image?.shape).toEqual([batch, 3, 4 * height, 4 * width]);
    }
  });
});
