import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createFolderBlobStore, waitForJob } from '@vibe-edit/core';
import { createLibsqlQueue } from '@vibe-edit/jobs/libsql';
import { expect, onTestFinished, test } from 'vitest';

const SCRIPT = fileURLToPath(new URL('testdata/half-way.mjs', import.meta.url));

test('pictures that a killed process had not handed over are removed when they are old, and no others', async () => {
  const root = await mkdtemp(join(tmpdir(), 'vibe-edit-half-way-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const file = join(root, 'jobs.db');
  const folder = join(root, 'pictures');
  const paths = async (): Promise<string[]> => {
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  };

  const child = spawn(process.execPath, [SCRIPT, file, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const said = new Map<string, string[]>();
  for await (const line of createInterface({ input: child.stdout })) {
    const [word = '', ...rest] = line.split(' ');
    said.set(word, rest);
    if (said.size === 3) break;
  }
  await expect.poll(paths, { timeout: 30_000 }).toHaveLength(4);
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
  const [id = '', source = ''] = said.get('job') ?? [];
  const twoHoursAgo = Date.now() / 1000 - 2 * 60 * 60;
  for (const path of await paths()) await utimes(path, twoHoursAgo, twoHoursAgo);

  const blobs = createFolderBlobStore({ folder });
  const young = await blobs.put(Buffer.from('to be submitted soon'), { mediaType: 'image/png' });
  const queue = await createLibsqlQueue({ file, blobs, sweepAfterSeconds: 60 * 60 });
  onTestFinished(() => queue.close());
  const names = async () => (await paths()).map((path) => path.slice(path.lastIndexOf('/') + 1)).sort();
  await expect.poll(names, { timeout: 30_000 }).toEqual([source, young.key].sort());

  queue.work(async () => {
    const result = await blobs.put(Buffer.from('result'), { mediaType: 'image/png' });
    const seconds = { queue: 0, prepare: 0, condition: 0, encode: 0, denoise: 0, decode: 0, restore: 0 };
    return { images: [{ ...result, width: 1, height: 1, instruction: 'x' }], seed: 1, warnings: [], seconds };
  });
  const job = await waitForJob({ queue, id });
  expect(job).toMatchObject({ state: 'succeeded', attempts: 2 });
  expect(await blobs.exists(job.result?.images[0]?.key ?? '')).toBe(true);
});
