import { readdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFolderBlobStore, type Job, type JobQueue, waitForJob } from '@vibe-edit/core';
import { expect } from 'vitest';
import { endsOf, type SharedQueue, startServer } from './kill-rounds.js';

/**
 * Stops a worker in the middle of a job until another one has taken it, then lets it go on: what it brings is thrown away. The options of
 * the queue need a lease of about a second.
 */
export async function stoppedWorker(options: SharedQueue): Promise<void> {
  const blobs = createFolderBlobStore({ folder: options.folder });
  const queue = await options.open();
  const stopped = startServer(options, 'finish');
  let other: ReturnType<typeof startServer> | undefined;
  try {
    const image = await blobs.put(Buffer.from('source'), { mediaType: 'image/png' });
    const { id } = await queue.submit({ kind: 'edit', user: 'alice', instruction: 'slow', image });
    await until(queue, id, ({ progress }) => progress !== undefined);
    stopped.kill('SIGSTOP');
    other = startServer(options, 'finish');
    await until(queue, id, ({ attempts }) => attempts === 2);
    stopped.kill('SIGCONT');
    const job = await waitForJob({ queue, id });
    expect(job).toMatchObject({ state: 'succeeded', attempts: 2 });
    expect(await endsOf(queue, id)).toHaveLength(1);
    expect(job.result?.images.map(({ key }) => key).every((key) => files(options.folder).includes(key))).toBe(true);
    // The source and one result: the other result is deleted, whichever of the two came too late.
    for (let attempt = 0; attempt < 100 && files(options.folder).length > 2; attempt += 1) await sleep(50);
    expect(files(options.folder)).toHaveLength(2);
    expect((await queue.get(id)).result).toEqual(job.result);
  } finally {
    stopped.kill('SIGKILL');
    other?.kill('SIGKILL');
    await queue.close();
  }
}

async function until(queue: JobQueue, id: string, holds: (job: Job) => boolean): Promise<void> {
  const end = Date.now() + 60_000;
  while (!holds(await queue.get(id))) {
    if (Date.now() > end) throw new Error('What was waited for did not happen');
    await sleep(20);
  }
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}
