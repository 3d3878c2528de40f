/**
 * Two workers on Redis, each a process of its own as on a machine of its own, and a program that gives them work.
 *
 *     redis-server &
 *     npm start
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createBullmqQueue, createFolderBlobStore, waitForJob } from 'vibe-edit';

const url = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';
const PHOTO = new URL('../photos/chelsea.jpg', import.meta.url);
const INSTRUCTIONS = ['make it warmer', 'make it cooler', 'black and white', 'more contrast'];

// Machines apart share a bucket instead: `createS3BlobStore`, and VIBE_S3_BUCKET for the workers.
const data = await mkdtemp(join(tmpdir(), 'vibe-edit-example-'));
// Where workers have the pictures of a queue of this name.
const blobs = createFolderBlobStore({ folder: join(data, 'pictures-example') });
const queue = await createBullmqQueue({ url, name: 'example', blobs, onError: console.error });

function startWorker(): ChildProcess {
  const environment = { ...process.env, VIBE_REDIS: url, VIBE_QUEUE_NAME: 'example', VIBE_DATA: data };
  const command = fileURLToPath(new URL('node_modules/.bin/vibe-edit', import.meta.url));
  return spawn(command, ['worker'], { env: environment, stdio: ['ignore', 'ignore', 'inherit'] });
}
const workers = [startWorker(), startWorker()];

try {
  const image = await blobs.put(await readFile(PHOTO), { mediaType: 'image/jpeg' });
  const jobs = await Promise.all(
    INSTRUCTIONS.map((instruction) => queue.submit({ kind: 'edit', user: 'example', image, instruction })),
  );
  for (const [index, instruction] of INSTRUCTIONS.entries()) {
    const { state, result } = await waitForJob({ queue, id: jobs[index]?.id ?? '' });
    const [picture] = result?.images ?? [];
    console.log(`${instruction}: ${state}`);
    if (picture === undefined) continue;
    const name = `${instruction.replaceAll(' ', '-')}.png`;
    await writeFile(name, await blobs.get(picture));
    console.log(`  ${name}, ${picture.width} x ${picture.height}`);
  }
} finally {
  const ended = workers.map((worker) => new Promise((resolve) => worker.once('close', resolve)));
  for (const worker of workers) worker.kill('SIGTERM');
  await Promise.all(ended);
  await queue.close();
  await rm(data, { recursive: true });
}
