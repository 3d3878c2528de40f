import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { AbortedError } from '../errors/aborted-error.js';
import { BlobMissingError } from '../errors/blob-missing-error.js';
import { BlobTooLargeError } from '../errors/blob-too-large-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { BlobStore } from '../job/blob-store.js';
import type { TestRunner } from './backend-conformance.js';

export interface BlobStoreConformanceOptions {
  /** Name of the suite, e.g. `folder`. */
  name: string;
  runner: Pick<TestRunner, 'describe' | 'test'>;
  /** Makes a store that takes at most so many bytes a blob. The suite closes it. */
  createStore(options: { maxBytes: number }): BlobStore | Promise<BlobStore>;
  /** For each test. Default 60,000. */
  timeoutMs?: number;
}

const MAX_BYTES = 300_000;
const PNG = { mediaType: 'image/png' };
/** Strings that name nothing, some of which would be a way out of a folder. */
const HOSTILE = [
  '',
  '.',
  '..',
  '../x',
  '../../etc/passwd',
  '/etc/passwd',
  'a/b',
  'a\\b',
  'a\0b',
  'ab',
  'x'.repeat(500),
];

/**
 * Defines tests that every blob store must pass.
 *
 * @example
 * ```ts
 * import { createMemoryBlobStore } from '@vibe-edit/core';
 * import { blobStoreConformance } from '@vibe-edit/core/testing';
 * import * as runner from 'vitest';
 *
 * blobStoreConformance({ name: 'memory', runner, createStore: (options) => createMemoryBlobStore(options) });
 * ```
 */
export function blobStoreConformance({
  name,
  runner,
  createStore,
  timeoutMs = 60_000,
}: BlobStoreConformanceOptions): void {
  const test = (title: string, run: (store: BlobStore) => Promise<void>): void =>
    runner.test(
      title,
      async () => {
        const store = await createStore({ maxBytes: MAX_BYTES });
        try {
          await run(store);
        } finally {
          await store.close();
        }
      },
      timeoutMs,
    );
  runner.describe(`conformance of the blob store ${name}`, () => {
    test('bytes and streams come back as they were, under keys of their own', async (store) => {
      const bytes = Uint8Array.from({ length: 200_000 }, (_, index) => (index * 7) % 251);
      async function* stream() {
        yield bytes.subarray(0, 70_000);
        yield bytes.subarray(70_000);
      }
      const references = [await store.put(bytes, PNG), await store.put(stream(), PNG), await store.put(bytes, PNG)];
      assert.equal(new Set(references.map(({ key }) => key)).size, 3);
      for (const reference of references) {
        assert.match(reference.key, /^[\w-]{16,128}$/);
        assert.equal(reference.mediaType, 'image/png');
        assert.equal(reference.bytes, bytes.length);
        assert.equal(reference.sha256, createHash('sha256').update(bytes).digest('hex'));
        assert.deepEqual(await store.get(reference), bytes);
        assert.deepEqual(await store.get(reference.key), bytes);
        assert.equal(await store.exists(reference), true);
      }
      const empty = await store.put(new Uint8Array(), PNG);
      assert.deepEqual(await store.get(empty), new Uint8Array());
    });

    test('what is stored is not changed by later writes to the same buffer', async (store) => {
      const bytes = Uint8Array.of(1, 2, 3);
      const reference = await store.put(bytes, PNG);
      bytes[0] = 9;
      const read = await store.get(reference);
      assert.deepEqual(read, Uint8Array.of(1, 2, 3));
      read[1] = 9;
      assert.deepEqual(await store.get(reference), Uint8Array.of(1, 2, 3));
    });

    test('deleting one leaves the others, and can be done twice', async (store) => {
      const first = await store.put(Uint8Array.of(1), PNG);
      const second = await store.put(Uint8Array.of(1), PNG);
      await store.delete(first);
      await store.delete(first.key);
      assert.equal(await store.exists(first), false);
      await assert.rejects(store.get(first), BlobMissingError);
      assert.deepEqual(await store.get(second), Uint8Array.of(1));
    });

    test('too many bytes are refused, of a stream nothing more is read', async (store) => {
      await assert.rejects(store.put(new Uint8Array(MAX_BYTES + 1), PNG), (error) => {
        assert.ok(error instanceof BlobTooLargeError);
        assert.equal(error.limit, MAX_BYTES);
        return true;
      });
      let read = 0;
      let ended = false;
      async function* endless() {
        try {
          for (;;) {
            read += 1;
            yield new Uint8Array(100_000);
          }
        } finally {
          ended = true;
        }
      }
      await assert.rejects(store.put(endless(), PNG), BlobTooLargeError);
      assert.equal(read, 4);
      assert.equal(ended, true);
      await assert.rejects(store.put(new Uint8Array(11), { ...PNG, maxBytes: 10 }), BlobTooLargeError);
      assert.equal((await store.put(new Uint8Array(10), { ...PNG, maxBytes: 10 })).bytes, 10);
    });

    test('a stream that fails, an abort, or something that is no bytes is an error', async (store) => {
      const broken = new Error('the line went dead');
      async function* failing() {
        yield new Uint8Array(10);
        throw broken;
      }
      await assert.rejects(store.put(failing(), PNG), broken);
      const controller = new AbortController();
      async function* aborting() {
        yield new Uint8Array(10);
        controller.abort();
        yield new Uint8Array(10);
      }
      await assert.rejects(store.put(aborting(), { ...PNG, signal: controller.signal }), AbortedError);
      const text = ['text'] as unknown as AsyncIterable<Uint8Array>;
      await assert.rejects(store.put(text, PNG), InvalidArgumentError);
      await assert.rejects(store.put(new Uint8Array(1), { mediaType: 'a\r\nb: c' }), InvalidArgumentError);
      const reference = await store.put(new Uint8Array(1), PNG);
      await assert.rejects(store.get(reference, { signal: controller.signal }), AbortedError);
    });

    test('names that stand for nothing, and ways out of a folder', async (store) => {
      await store.put(Uint8Array.of(1), PNG);
      for (const key of [...HOSTILE, '0'.repeat(32)]) {
        assert.equal(await store.exists(key), false, key);
        await assert.rejects(store.get(key), BlobMissingError, key);
        await store.delete(key);
      }
    });

    test('many at once', async (store) => {
      const texts = Array.from({ length: 30 }, (_, index) => Buffer.from(`text ${index}`));
      const references = await Promise.all(texts.map((text) => store.put(text, PNG)));
      for (const [index, reference] of references.entries())
        assert.deepEqual(Buffer.from(await store.get(reference)), texts[index]);
    });
  });
}
