import { createHash } from 'node:crypto';
import { throwIfAborted } from '../errors/aborted-error.js';
import { BlobMissingError } from '../errors/blob-missing-error.js';
import { blobKeyOf, newBlobKey } from './blob-key.js';
import type { BlobStore } from './blob-store.js';
import { boundedChunks, DEFAULT_MAX_BLOB_BYTES } from './bounded-chunks.js';

/**
 * Blobs in this process's memory, for tests and small tools.
 * @param options.maxBytes Most bytes of one blob. Default 64 MiB.
 */
export function createMemoryBlobStore({ maxBytes = DEFAULT_MAX_BLOB_BYTES }: { maxBytes?: number } = {}): BlobStore {
  const blobs = new Map<string, Uint8Array>();
  return {
    async put(data, options) {
      const chunks: Uint8Array[] = [];
      // A copy: callers may use their buffer again.
      for await (const chunk of boundedChunks(data, options, maxBytes)) chunks.push(chunk.slice());
      const bytes = new Uint8Array(Buffer.concat(chunks));
      const key = newBlobKey();
      blobs.set(key, bytes);
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      return { key, mediaType: options.mediaType, bytes: bytes.byteLength, sha256 };
    },
    async get(blob, { signal } = {}) {
      throwIfAborted(signal);
      const key = blobKeyOf(blob) ?? '';
      const bytes = blobs.get(key);
      if (bytes === undefined) throw new BlobMissingError({ key });
      return bytes.slice();
    },
    async exists(blob) {
      return blobs.has(blobKeyOf(blob) ?? '');
    },
    async delete(blob) {
      blobs.delete(blobKeyOf(blob) ?? '');
    },
    async close() {
      blobs.clear();
    },
  };
}
