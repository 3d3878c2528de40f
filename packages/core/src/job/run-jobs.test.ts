import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';
import { openCheckpoint } from '../checkpoint/open-checkpoint.js';
import { createEditor } from '../editor.js';
import type { Editor } from '../editor-types.js';
import { HostCrashedError } from '../errors/host-crashed-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { sharpCodec } from '../image/sharp-codec.js';
import type { Plugin } from '../plugin/plugin.js';
import { createFakeBackend } from '../testing/fake-backend.js';
import type { BlobReference } from './blob-store.js';
import type { JobEvent } from './job-event.js';
import { createMemoryBlobStore } from './memory-blob-store.js';
import { createMemoryQueue } from './memory-queue.js';
import { type RunJobsOptions, runJobs } from './run-jobs.js';
import { waitForJob } from './wait-for-job.js';

const checkpoint = await openCheckpoint(
  fileURLToPath(new URL('../../../../test/fixtures/golden/tiny-a/checkpoint', import.meta.url)),
);
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A queue with a real editor behind it, over a backend that computes nothing. */
async function open(options: { plugins?: readonly Plugin[]; editor?: Editor } & Partial<RunJobsOptions> = {}) {
  const { plugins = [], ...more } = options;
  const blobs = createMemoryBlobStore();
  const queue = createMemoryQueue({ blobs });
  const editor = options.editor ?? (await createEditor({ checkpoint, backend: createFakeBackend(), plugins }));
  runJobs({ ...more, queue, blobs, editor });
  closing.push(
    () => editor.close(),
    () => queue.close(),
  );
  return { blobs, queue, editor };
}

async function picture(width = 90, height = 60): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 7) % 256);
  return await sharpCodec.encode({ width, height, channels: 3, data }, 'png');
}

const request = { kind: 'edit', user: 'alice', instruction: 'make it warmer' } as const;
const settings = { numInferenceSteps: 3, seed: 7 };

test('an edit: the picture from the store, settings, progress, previews, the results in the store', async () => {
  const { blobs, queue, editor } = await open();
  const bytes = await picture();
  const image = await blobs.put(bytes, { mediaType: 'image/png' });
  const mask = await blobs.put(await picture(9, 6), { mediaType: 'image/png' });
  const submitted = await queue.submit({
    ...request,
    image,
    mask,
    settings: { ...settings, numImages: 2 },
    output: { format: 'jpeg', quality: 80 },
    previews: true,
  });
  const events: JobEvent[] = [];
  const job = await waitForJob({ queue, id: submitted.id, onEvent: (event) => events.push(event) });
  expect(job).toMatchObject({ state: 'succeeded', progress: { stage: 'restore', step: 3, steps: 3 } });
  const { result } = job;
  expect(result).toMatchObject({ seed: 7, warnings: [] });
  expect(Object.keys(result?.seconds ?? {})).toContain('denoise');
  const direct = await editor.edit({
    image: bytes,
    mask: await blobs.get(mask),
    instruction: request.instruction,
    ...settings,
    numImages: 2,
  });
  expect(result?.images).toHaveLength(2);
  for (const [index, stored] of (result?.images ?? []).entries()) {
    expect(stored).toMatchObject({ width: 90, height: 60, mediaType: 'image/jpeg', instruction: request.instruction });
    const expected = await direct.images[index]?.toBuffer('jpeg', { quality: 80 });
    expect(Buffer.from(await blobs.get(stored)).equals(Buffer.from(expected ?? []))).toBe(true);
  }
  const previews = events.filter((event) => event.type === 'preview');
  expect(previews.length).toBeGreaterThan(0);
  for (const { preview } of previews) {
    const { raster, format } = await sharpCodec.decode(preview.data);
    expect([format, raster.width, raster.height]).toEqual(['png', preview.width, preview.height]);
  }
});

test('a picture from a description', async () => {
  const { blobs, queue } = await open();
  const size = { width: 64, height: 32 };
  const { id } = await queue.submit({
    kind: 'generate',
    user: 'alice',
    instruction: ['a house', 'a tree'],
    settings: { ...settings, size },
  });
  const { result } = await waitForJob({ queue, id });
  expect(result?.images.map(({ instruction, width, height }) => [instruction, width, height])).toEqual([
    ['a house', 64, 32],
    ['a tree', 64, 32],
  ]);
  expect(result?.images[0]?.mediaType).toBe('image/png');
  expect(await blobs.exists(result?.images[1] as BlobReference)).toBe(true);
});

test('a cancel ends the denoising', async () => {
  let begun = (): void => {};
  const inDenoising = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const waits: Plugin = {
    name: 'waits',
    hooks: {
      async beforeStep(_, { signal }) {
        begun();
        await new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
      },
    },
  };
  const { blobs, queue } = await open({ plugins: [waits] });
  const image = await blobs.put(await picture(), { mediaType: 'image/png' });
  const { id } = await queue.submit({ ...request, image, settings });
  await inDenoising;
  await queue.cancel(id);
  expect(await waitForJob({ queue, id })).toMatchObject({ state: 'cancelled', error: { code: 'VIBE_ABORTED' } });
});

test('what is wrong with the picture is said, and the worker goes on', async () => {
  const heard: string[] = [];
  const { blobs, queue } = await open({ onError: (_, id) => heard.push(String(id)) });
  const noPicture = await blobs.put(Buffer.from('a text'), { mediaType: 'image/png' });
  const bad = await queue.submit({ ...request, image: noPicture });
  expect((await waitForJob({ queue, id: bad.id })).error?.code).toBe('VIBE_INVALID_IMAGE');
  const good = await blobs.put(await picture(), { mediaType: 'image/png' });
  const { id } = await queue.submit({ ...request, image: good, settings });
  expect((await waitForJob({ queue, id })).state).toBe('succeeded');
  expect(heard).toEqual([bad.id]);
});

test('a job that takes too long fails, one whose process died is tried again', async () => {
  const dies = { calls: 0 };
  const { editor: real } = await open();
  const editor: Editor = {
    ...real,
    close: async () => {},
    async generate(call) {
      dies.calls += 1;
      if (dies.calls === 1) throw new HostCrashedError({ exitCode: null, signal: 'SIGKILL' });
      if (call.instruction !== 'slow') return real.generate(call);
      return new Promise((_, reject) => call.signal?.addEventListener('abort', () => reject(call.signal?.reason)));
    },
  };
  const { queue } = await open({ editor, timeoutSeconds: 0.05 });
  const generate = {
    kind: 'generate',
    user: 'alice',
    settings: { ...settings, size: { width: 32, height: 32 } },
  } as const;
  const again = await queue.submit({ ...generate, instruction: 'slow' });
  expect(await waitForJob({ queue, id: again.id })).toMatchObject({
    state: 'failed',
    attempts: 2,
    error: { code: 'VIBE_JOB_TIMEOUT' },
  });
  const blobs = createMemoryBlobStore();
  expect(() => runJobs({ queue, blobs, editor, timeoutSeconds: 0 })).toThrow(InvalidArgumentError);
});
