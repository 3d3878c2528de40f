import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBackend } from '@vibe-edit/adapters/cpu';
import { compileComponent } from '@vibe-edit/compiler';
import { type Checkpoint, COMPONENTS, openCheckpoint } from '@vibe-edit/core';
import { exampleInputs } from '@vibe-edit/core/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { goldenPath } from '../golden-vectors.js';
import { type Manifest, readManifest, writeSparseCheckpoint } from './sparse-checkpoint.js';

const configs = fileURLToPath(goldenPath('full'));
const MIB = 2 ** 20;

describe('a checkpoint of the published size', () => {
  let folder: string;
  let manifest: Manifest;
  let checkpoint: Checkpoint;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vibe-edit-full-size-'));
    manifest = await readManifest(join(configs, 'manifest.json.gz'));
    await writeSparseCheckpoint({ manifest, configs, folder });
    checkpoint = await openCheckpoint(folder);
  });

  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('the weights take 8.6 GB but no room on disk', async () => {
    const files = await Promise.all(
      ['text_encoder/model', 'transformer/diffusion_pytorch_model', 'vae/diffusion_pytorch_model'].map((name) =>
        stat(join(folder, `${name}.safetensors`)),
      ),
    );
    expect(files.reduce((total, { size }) => total + size, 0)).toBeGreaterThan(8.6e9);
    expect(files.reduce((total, { blocks }) => total + blocks * 512, 0)).toBeLessThan(MIB);
  });

  test('every tensor is read by the graph of a component', () => {
    const read = new Set(COMPONENTS.flatMap((component) => compileComponent({ component, checkpoint }).weights));
    const stored = Object.entries(manifest).flatMap(([name, tensors]) =>
      Object.keys(tensors).map((key) => `${name}.${key}`),
    );
    expect(stored.filter((name) => !read.has(name))).toEqual([]);
    expect([...read].filter((name) => !stored.includes(name))).toEqual([]);
  });

  test('every component opens within seconds and leaves its weights in the file', async () => {
    const backend = await createBackend({ threads: 1, weights: 'mapped' });
    const seconds: Record<string, number> = {};
    const before = process.memoryUsage().rss;
    for (const component of COMPONENTS) {
      // Time on the processor, which other work on the machine does not lengthen.
      const start = process.cpuUsage();
      const session = await backend.open(component, checkpoint);
      const { user, system } = process.cpuUsage(start);
      seconds[component] = Math.round((user + system) / 1e4) / 100;
      expect(session.outputs.length).toBeGreaterThan(0);
    }
    const megabytes = Math.round((process.memoryUsage().rss - before) / MIB);
    await backend.close();
    console.info('processor seconds to open', seconds, `all open: ${megabytes} MiB`);
    expect(Object.values(seconds).reduce((total, value) => total + value)).toBeLessThan(20);
    expect(megabytes).toBeLessThan(512);
  });

  test('matrices are converted on several threads, and the memory is free again after closing', async () => {
    const backend = await createBackend({ threads: 2, weights: 'converted' });
    const before = process.memoryUsage().rss;
    const session = await backend.open('connector', checkpoint);
    expect(session.memoryBytes).toBeGreaterThan(500 * MIB);
    expect(process.memoryUsage().rss - before).toBeGreaterThan(0.9 * (session.memoryBytes as number));
    const { prompt_embeds } = await session.run(exampleInputs({ component: 'connector', checkpoint }));
    // Weights of zero give the norm's bias, which is zero.
    expect((await prompt_embeds?.data())?.every((value) => value === 0)).toBe(true);
    await session.close();
    // Buffers are freed in the background.
    await expect
      .poll(() => process.memoryUsage().rss - before, { timeout: 20_000 })
      .toBeLessThan(0.3 * (session.memoryBytes as number));
    await backend.close();
  });
});
