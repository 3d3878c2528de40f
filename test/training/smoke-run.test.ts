import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { access, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { hostTensor } from '@vibe-edit/core/runtime';
import sharp from 'sharp';
import { createEditor, openCheckpoint, type Plugin } from 'vibe-edit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { readTensors } from './read-tensors.js';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const TRAINING = join(ROOT, 'training');
const OWN_PYTHON = join(TRAINING, '.venv/bin/python');
/** An interpreter with the packages of training/requirements.lock. */
const PYTHON = process.env.VIBE_TRAINING_PYTHON ?? (existsSync(OWN_PYTHON) ? OWN_PYTHON : undefined);
/** A clone of the authors' repository. */
const CLONE = process.env.VIBE_CLONE;

if (PYTHON === undefined) {
  console.warn('Training is not tested: run `node scripts/install-training.mjs` or set VIBE_TRAINING_PYTHON');
} else if (CLONE === undefined) {
  console.warn(
    "A trained checkpoint is not compared with the authors' code: set VIBE_CLONE to a clone of their repository",
  );
}

describe.skipIf(PYTHON === undefined)('a run of all stages', () => {
  let folder: string;
  const command = (name: string): [string, string[], { cwd: string; env: NodeJS.ProcessEnv }] => [
    PYTHON as string,
    ['-m', 'vibe_training', 'recipes/smoke.json', join(folder, name)],
    { cwd: TRAINING, env: { ...process.env, OMP_NUM_THREADS: '1', OMP_WAIT_POLICY: 'PASSIVE' } },
  ];
  const train = (name = 'run'): Promise<unknown> => run(...command(name));

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vibe-training-'));
    await train();
  }, 600_000);
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test.each(['autoencoder', 'text', 'connector', 'editor', 'distillation'])(
    'leaves the curve of the stage %s',
    async (stage) => {
      const lines = (await readFile(join(folder, 'run', stage, 'curve.jsonl'), 'utf8')).trim().split('\n');
      const points = lines.map((line) => JSON.parse(line) as { step: number; minutes: number; loss: number });
      expect(points.length).toBeGreaterThan(0);
      for (const { step, minutes, loss } of points) {
        expect(step).toBeGreaterThan(0);
        expect(minutes).toBeGreaterThan(0);
        expect(loss).toBeGreaterThan(0);
      }
    },
  );

  test('learns which wordings are none of the operations', async () => {
    const [line, ...more] = (await readFile(join(folder, 'run/scope/curve.jsonl'), 'utf8')).trim().split('\n');
    expect(more).toEqual([]);
    const report = JSON.parse(line as string) as Record<string, number>;
    expect(report.instructions).toBeGreaterThan(100);
    expect(report.unknown_left).toBeGreaterThanOrEqual(report['before/unknown_left'] as number);
    const { outOfScope } = await openCheckpoint(join(folder, 'run/checkpoint'));
    expect(outOfScope?.weights.shape).toEqual([65_536]);
  });

  test('is not done again', async () => {
    const curves = ['text', 'scope'].map((stage) => join(folder, 'run', stage, 'curve.jsonl'));
    const read = (): Promise<string[]> => Promise.all(curves.map((curve) => readFile(curve, 'utf8')));
    const before = await read();
    await train();
    expect(await read()).toEqual(before);
  }, 120_000);

  test('ends with both processes when it is killed, and goes on from the last saved states', async () => {
    const [file, args, options] = command('killed');
    const killed = spawn(file, args, options);
    const ended = once(killed, 'exit');
    const [curve, state] = ['curve.jsonl', 'state.pt'].map((name) => join(folder, 'killed/text', name)) as [
      string,
      string,
    ];
    await vi.waitFor(() => access(state), { timeout: 120_000, interval: 100 });
    killed.kill('SIGKILL');
    await ended;
    // A line comes every three seconds.
    await setTimeout(2_000);
    const before = await readFile(curve, 'utf8');
    await setTimeout(6_000);
    expect(await readFile(curve, 'utf8')).toBe(before);
    expect(existsSync(join(folder, 'killed/text/result.pt'))).toBe(false);

    await train('killed');
    const after = await readFile(curve, 'utf8');
    expect(after.startsWith(before)).toBe(true);
    const steps = after
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { step: number }).step);
    expect(steps.length).toBeGreaterThan(before.trim().split('\n').length);
    expect(steps).toEqual([...steps].sort((a, b) => a - b));
    expect(existsSync(join(folder, 'killed/checkpoint/model_index.json'))).toBe(true);
  }, 300_000);

  test('makes a checkpoint that the SDK edits with', async () => {
    const editor = await createEditor({ checkpoint: join(folder, 'run/checkpoint') });
    try {
      const pixels = Uint8Array.from({ length: 96 * 64 * 3 }, (_, i) => (i * 7) % 256);
      const image = await sharp(pixels, { raw: { width: 96, height: 64, channels: 3 } })
        .png()
        .toBuffer();
      const { images } = await editor.edit({ image, instruction: 'make it warmer' });
      expect(images[0]?.raster).toMatchObject({ width: 96, height: 64 });
    } finally {
      await editor.close();
    }
  });

  test.skipIf(CLONE === undefined)(
    "gives the authors' code and the SDK the same numbers",
    async () => {
      const out = join(folder, 'authors');
      await mkdir(out);
      const script = fileURLToPath(new URL('./authors-edit.py', import.meta.url));
      await run(PYTHON as string, [script, join(folder, 'run/checkpoint'), out, '--vibe', CLONE as string]);
      const { instruction, steps } = JSON.parse(await readFile(join(out, 'edit.json'), 'utf8')) as {
        instruction: string;
        steps: number;
      };
      const expected = await readTensors(join(out, 'edit.safetensors'));
      const found = new Map<string, Float32Array>();
      const compare: Plugin = {
        name: 'compare',
        hooks: {
          afterCondition: ({ promptEmbeds, nullEmbeds }) => {
            found.set('promptEmbeds', promptEmbeds.values).set('nullEmbeds', nullEmbeds.values);
          },
          beforeDenoise: ({ shape }) => hostTensor('float32', shape, expected.get('noise') as Float32Array),
          afterDenoise: ({ values }) => void found.set('latents', values),
        },
      };
      const editor = await createEditor({ checkpoint: join(folder, 'run/checkpoint'), plugins: [compare] });
      try {
        await editor.edit({ image: join(out, 'picture.png'), instruction, numInferenceSteps: steps, preserve: 'off' });
      } finally {
        await editor.close();
      }
      for (const name of ['promptEmbeds', 'nullEmbeds', 'latents']) {
        const theirs = expected.get(name) as Float32Array;
        const ours = found.get(name) as Float32Array;
        expect(ours.length, name).toBe(theirs.length);
        const largest = ours.reduce((most, value, i) => Math.max(most, Math.abs(value - (theirs[i] as number))), 0);
        expect(largest, name).toBeLessThan(1e-4);
      }
    },
    300_000,
  );
});
