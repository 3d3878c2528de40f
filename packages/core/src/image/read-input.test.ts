import { execFileSync } from 'node:child_process';
import { createReadStream, mkdtempSync, openAsBlob, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import { afterAll, describe, expect, test } from 'vitest';
import type { ImageInput, SharpLike } from './image-codec.js';
import { isSharpLike, readInput } from './read-input.js';

const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-input-'));
const path = join(folder, 'ein Bild #1.png');
const content = Uint8Array.from({ length: 1000 }, (_, index) => index % 251);
writeFileSync(path, content);
afterAll(() => rmSync(folder, { recursive: true }));

type Input = Exclude<ImageInput, SharpLike>;
const read = (input: unknown, maxBytes = 1000, signal?: AbortSignal) =>
  readInput({ input: input as Input, maxBytes, ...(signal && { signal }) });

/** A web stream that gives chunks for ever and tells when it is cancelled. */
function endless(onCancel: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(100)),
    cancel: onCancel,
  });
}

describe('readInput', () => {
  test.each<[string, () => unknown]>([
    ['a path', () => path],
    ['a file URL', () => pathToFileURL(path)],
    ['a file URL as a string', () => pathToFileURL(path).href],
    ['a Uint8Array', () => content],
    ['a Buffer', () => Buffer.from(content)],
    ['a view of a larger buffer', () => new Uint8Array([9, ...content, 9]).subarray(1, 1001)],
    ['an ArrayBuffer', () => content.slice().buffer],
    [
      'a shared buffer',
      () => {
        const shared = new Uint8Array(new SharedArrayBuffer(1000));
        shared.set(content);
        return shared;
      },
    ],
    ['a Blob', () => new Blob([content.subarray(0, 300), content.subarray(300)])],
    ['a File', () => new File([content], 'x.jpg')],
    ['a Blob of a file', () => openAsBlob(path)],
    ['a web stream', () => new Blob([content]).stream()],
    ['a Node stream', () => createReadStream(path, { highWaterMark: 77 })],
    [
      'an async generator',
      async function* () {
        yield content.subarray(0, 999);
        yield content.subarray(999);
      },
    ],
  ])('%s', async (_, make) => {
    const made = make();
    const input = typeof made === 'function' ? made() : await made;
    const bytes = await read(input);
    expect(Buffer.from(bytes).equals(content)).toBe(true);
    expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
  });

  test('an async generator function called', async () => {
    async function* chunks() {
      yield content;
    }
    expect((await read(chunks())).length).toBe(1000);
  });

  test.each(['https://example.com/photo.jpg', 'http://example.com/', new URL('https://example.com/photo.jpg')])(
    'refuses %s and says to fetch it',
    async (input) => {
      await expect(read(input)).rejects.toMatchObject({
        code: 'VIBE_INVALID_ARGUMENT',
        message: expect.stringContaining('fetch it first'),
      });
    },
  );

  test.each(['data:image/png;base64,AAAA', 'ftp://host/x.png', 'blob:nodedata:1', new URL('data:,x'), 'file://host/x'])(
    'refuses %s',
    async (input) => {
      await expect(read(input)).rejects.toMatchObject({ code: 'VIBE_INVALID_ARGUMENT' });
    },
  );

  test.each([undefined, null, 5, true, [], {}, () => content])('refuses %s', async (input) => {
    await expect(read(input)).rejects.toMatchObject({ code: 'VIBE_INVALID_ARGUMENT', argument: 'image' });
  });

  test('a path with a colon is a path', async () => {
    await expect(read('holiday: day 1.jpg')).rejects.toMatchObject({
      code: 'VIBE_INVALID_IMAGE',
      cause: { code: 'ENOENT' },
    });
    await expect(read('C:\\photo.jpg')).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
  });

  test('what is no readable file is a typed error', async () => {
    const error = { code: 'VIBE_INVALID_IMAGE' };
    await expect(read(join(folder, 'missing.png'))).rejects.toMatchObject({ ...error, cause: { code: 'ENOENT' } });
    await expect(read(folder)).rejects.toMatchObject({ ...error, received: expect.stringContaining('folder') });
    await expect(read('')).rejects.toMatchObject(error);
    await expect(read('nul\0.png')).rejects.toMatchObject(error);
    await expect(read(`${path}/below`)).rejects.toMatchObject(error);
  });

  test.skipIf(process.platform === 'win32')('devices and named pipes are refused at once', async () => {
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(read(pipe)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
    await expect(read('/dev/zero')).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
  });

  test('too many bytes are refused, wherever they come from', async () => {
    const inputs = [
      path,
      content,
      content.slice().buffer,
      new Blob([content]),
      new Blob([content]).stream(),
      Readable.from([content]),
    ];
    for (const input of inputs) {
      await expect(read(input, 999)).rejects.toMatchObject({
        code: 'VIBE_INVALID_IMAGE',
        expected: expect.stringContaining('999'),
      });
    }
  });

  test('a stream without an end is left at the limit', async () => {
    let cancelled = false;
    const stream = endless(() => {
      cancelled = true;
    });
    await expect(read(stream, 100_000)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
    await sleep(0);
    expect(cancelled).toBe(true);
  });

  test('a stream that fails is a typed error', async () => {
    const failure = new Error('connection reset');
    const web = new ReadableStream<Uint8Array>({ pull: (controller) => controller.error(failure) });
    await expect(read(web)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE', cause: failure });
    await expect(read(createReadStream(join(folder, 'missing')))).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
    const locked = new Blob([content]).stream();
    locked.getReader();
    await expect(read(locked)).rejects.toMatchObject({ code: 'VIBE_INVALID_IMAGE' });
  });

  test('a stream of strings is refused', async () => {
    const stream = createReadStream(path, { encoding: 'latin1' });
    await expect(read(stream)).rejects.toMatchObject({
      code: 'VIBE_INVALID_ARGUMENT',
      received: 'a chunk that is a string',
    });
  });

  test('a stream that hangs ends with the signal', async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: () => new Promise(() => {}),
      cancel: () => {
        cancelled = true;
      },
    });
    const controller = new AbortController();
    const reading = read(stream, 1000, controller.signal);
    setTimeout(() => controller.abort('enough'), 10);
    await expect(reading).rejects.toMatchObject({ code: 'VIBE_ABORTED', cause: 'enough' });
    await sleep(0);
    expect(cancelled).toBe(true);
    const node = new Readable({ read: () => {} });
    await expect(read(node, 1000, AbortSignal.timeout(10))).rejects.toMatchObject({ code: 'VIBE_ABORTED' });
    expect(node.destroyed).toBe(true);
    await expect(read(path, 1000, AbortSignal.abort())).rejects.toMatchObject({ code: 'VIBE_ABORTED' });
  });
});

test('isSharpLike tells sharp instances from other streams', () => {
  expect(isSharpLike(sharp(path))).toBe(true);
  expect(isSharpLike(createReadStream('/dev/null'))).toBe(false);
  expect(isSharpLike(content)).toBe(false);
  expect(isSharpLike(null)).toBe(false);
});
