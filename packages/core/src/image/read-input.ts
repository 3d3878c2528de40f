import { constants, open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { throwIfAborted } from '../errors/aborted-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { InvalidImageError } from '../errors/invalid-image-error.js';
import { VibeError } from '../errors/vibe-error.js';
import { abortable } from './abortable.js';
import type { ImageInput, SharpLike } from './image-codec.js';

/** Bytes read at a time. */
const READ_SIZE = 16 * 1024 * 1024;

interface ReadOptions {
  maxBytes: number;
  signal?: AbortSignal | undefined;
}

/** Tells a sharp instance, of whatever copy of sharp, from the other inputs. */
export function isSharpLike(input: unknown): input is SharpLike {
  return hasMethod(input, 'clone') && hasMethod(input, 'toBuffer') && hasMethod(input, 'metadata');
}

/**
 * The bytes of a picture, wherever they are. A path or file URL must lead to a regular file; a stream is read to its end, but
 * never past the limit.
 *
 * @param options.maxBytes most bytes taken
 * @throws {InvalidImageError} nothing can be read there, or there is too much
 * @throws {InvalidArgumentError} the input is none of those that are taken, e.g. an http URL
 * @throws {AbortedError} `signal` was aborted
 */
export async function readInput(options: { input: Exclude<ImageInput, SharpLike> } & ReadOptions): Promise<Uint8Array> {
  const { maxBytes, signal } = options;
  const input: unknown = options.input;
  throwIfAborted(signal);
  if (typeof input === 'string' || input instanceof URL) return readFile(toPath(input), options);
  if (ArrayBuffer.isView(input))
    return checkLength(new Uint8Array(input.buffer, input.byteOffset, input.byteLength), maxBytes);
  if (isArrayBuffer(input)) return checkLength(new Uint8Array(input), maxBytes);
  if (isBlob(input)) return readBlob(input, options);
  if (isAsyncIterable(input)) return readStream(input, options);
  throw new InvalidArgumentError({
    argument: 'image',
    expected: 'a path, file URL, Uint8Array, ArrayBuffer, Blob, stream or sharp instance',
    received: describe(input),
  });
}

function hasMethod(value: unknown, name: string): boolean {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, name) === 'function';
}

/** By its tag, since a test runner's sandbox has an `ArrayBuffer` of its own. */
function isArrayBuffer(value: unknown): value is ArrayBuffer | SharedArrayBuffer {
  return /^\[object (Shared)?ArrayBuffer\]$/.test(Object.prototype.toString.call(value));
}

function isBlob(value: unknown): value is Blob {
  return value instanceof Blob;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

function describe(value: unknown): string {
  if (typeof value !== 'object' || value === null) return String(value);
  return Array.isArray(value) ? 'an array' : `an object (${value.constructor?.name ?? 'no prototype'})`;
}

function checkLength(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length > maxBytes) throw tooLarge(maxBytes, `${bytes.length} bytes`);
  // What others may write to while it is read is copied first.
  return bytes.buffer instanceof ArrayBuffer ? bytes : bytes.slice();
}

function tooLarge(maxBytes: number, received: string): InvalidImageError {
  return new InvalidImageError({ expected: `a picture of at most ${maxBytes} bytes`, received });
}

/** The path that a string or URL stands for. */
function toPath(input: string | URL): string {
  const text = String(input);
  // A scheme of one letter is a drive.
  const scheme = /^([a-z][a-z0-9+.-]+):/i.exec(text)?.[1]?.toLowerCase();
  const isUrl = input instanceof URL || /^([a-z][a-z0-9+.-]+:\/\/|(file|data|blob):)/i.test(text);
  if (!isUrl) return text;
  const details = { argument: 'image', expected: 'a path, a file URL or bytes' };
  if (scheme !== 'file') {
    const advice = scheme === 'http' || scheme === 'https' ? '; fetch it first and pass its bytes' : '';
    throw new InvalidArgumentError({ ...details, received: `a URL that starts with ${scheme}:${advice}` });
  }
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw new InvalidArgumentError({ ...details, received: 'a file URL that names no local file', cause });
  }
}

/** Runs a read and turns what the system reports into an error of ours. */
async function reading<Value>(what: string, read: () => Promise<Value>): Promise<Value> {
  try {
    return await read();
  } catch (cause) {
    if (cause instanceof VibeError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new InvalidImageError({ expected: `${what} that can be read`, received: reason, cause });
  }
}

function readFile(path: string, { maxBytes, signal }: ReadOptions): Promise<Uint8Array> {
  return reading('a picture file', async () => {
    // Not to wait for the writer of a named pipe, which may never come.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const stats = await file.stat();
      if (!stats.isFile()) {
        const received = stats.isDirectory() ? `the folder ${path}` : `${path}, which is no regular file`;
        throw new InvalidImageError({ expected: 'a picture file', received });
      }
      if (stats.size > maxBytes) throw tooLarge(maxBytes, `${path} with ${stats.size} bytes`);
      const bytes = new Uint8Array(stats.size);
      let length = 0;
      while (length < bytes.length) {
        throwIfAborted(signal);
        const { bytesRead } = await file.read(bytes, length, Math.min(READ_SIZE, bytes.length - length));
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      return bytes.subarray(0, length);
    } finally {
      await file.close();
    }
  });
}

function readBlob(blob: Blob, { maxBytes, signal }: ReadOptions): Promise<Uint8Array> {
  if (blob.size > maxBytes) throw tooLarge(maxBytes, `a Blob of ${blob.size} bytes`);
  return reading('a Blob', async () => new Uint8Array(await abortable(blob.arrayBuffer(), signal)));
}

interface Source {
  next(): Promise<{ done?: boolean | undefined; value?: unknown }>;
  cancel(): Promise<unknown>;
}

/** A web stream is cancelled through its reader and a Node stream destroyed, since their iterators wait for a chunk first. */
function openStream(stream: AsyncIterable<unknown>): Source {
  if (stream instanceof ReadableStream) {
    const reader = stream.getReader();
    return { next: () => reader.read(), cancel: () => reader.cancel() };
  }
  const iterator = stream[Symbol.asyncIterator]();
  return {
    next: () => iterator.next(),
    cancel: async () => {
      if ('destroy' in stream && typeof stream.destroy === 'function') stream.destroy();
      else await iterator.return?.();
    },
  };
}

function readStream(stream: AsyncIterable<unknown>, { maxBytes, signal }: ReadOptions): Promise<Uint8Array> {
  return reading('a stream', async () => {
    const source = openStream(stream);
    const chunks: Uint8Array[] = [];
    let length = 0;
    let ended = false;
    try {
      for (;;) {
        const { done, value } = await abortable(source.next(), signal);
        ended = done === true;
        if (ended) break;
        if (!(value instanceof Uint8Array)) {
          const received = `a chunk that is ${typeof value === 'string' ? 'a string' : describe(value)}`;
          throw new InvalidArgumentError({ argument: 'image', expected: 'a stream of Uint8Array chunks', received });
        }
        length += value.length;
        if (length > maxBytes) throw tooLarge(maxBytes, 'a stream that goes on beyond that');
        chunks.push(value);
      }
    } finally {
      // Not awaited: a source that hangs may never answer, and its failure is of no interest any more.
      if (!ended) source.cancel().catch(() => undefined);
    }
    const bytes = new Uint8Array(length);
    let offset = 0;
    for (const chunk of chunks) {
      bytes.set(chunk, offset);
      offset += chunk.length;
    }
    return bytes;
  });
}
