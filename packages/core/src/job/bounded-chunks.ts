import { throwIfAborted } from '../errors/aborted-error.js';
import { BlobTooLargeError } from '../errors/blob-too-large-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { PutBlobOptions } from './blob-store.js';

/** Bytes that a store takes when it was not told otherwise. */
export const DEFAULT_MAX_BLOB_BYTES = 64 * 1024 * 1024;

/**
 * The chunks of what a `put` was given, one after the other, as far as they are allowed.
 * @throws {BlobTooLargeError} {AbortedError} {InvalidArgumentError} while iterating.
 */
export async function* boundedChunks(
  data: Uint8Array | AsyncIterable<Uint8Array>,
  options: PutBlobOptions,
  storeLimit: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  const limit = Math.min(options.maxBytes ?? storeLimit, storeLimit);
  if (typeof options.mediaType !== 'string' || !/^[\w.+-]+\/[\w.+-]+$/.test(options.mediaType))
    throw new InvalidArgumentError({
      argument: 'mediaType',
      expected: 'a media type such as image/png',
      received: String(options.mediaType),
    });
  let bytes = 0;
  for await (const chunk of data instanceof Uint8Array ? [data] : data) {
    throwIfAborted(options.signal);
    if (!(chunk instanceof Uint8Array))
      throw new InvalidArgumentError({ argument: 'data', expected: 'chunks of bytes', received: typeof chunk });
    bytes += chunk.byteLength;
    if (bytes > limit) throw new BlobTooLargeError({ limit });
    yield chunk;
  }
  throwIfAborted(options.signal);
}
