import { type FileHandle, open, stat } from 'node:fs/promises';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { VibeError } from '../errors/vibe-error.js';

/**
 * Opens a file of a checkpoint for reading, hands it to `use` and closes it. Whatever the file system refuses, pipes and folders
 * included, comes as a typed error.
 * @throws {InvalidCheckpointError} when the file cannot be read.
 */
export async function withRegularFile<T>(
  file: string,
  use: (handle: FileHandle, fileSize: number) => Promise<T>,
): Promise<T> {
  try {
    // Looked at before it is opened: opening a pipe waits for a writer.
    if (!(await stat(file)).isFile()) {
      throw new InvalidCheckpointError({ file, expected: 'a file', received: 'something else' });
    }
    const handle = await open(file, 'r');
    try {
      return await use(handle, (await handle.stat()).size);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    if (cause instanceof VibeError) throw cause;
    throw new InvalidCheckpointError({ file, expected: 'a readable file', received: String(cause), cause });
  }
}

export interface FileRange {
  handle: FileHandle;
  /** Path for the error's message. */
  file: string;
  offset: number;
  length: number;
}

/**
 * Reads exactly `length` bytes.
 * @throws {InvalidCheckpointError} when the file ends before that.
 */
export async function readRange({ handle, file, offset, length }: FileRange): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(bytes, filled, length - filled, offset + filled);
    if (bytesRead === 0) {
      throw new InvalidCheckpointError({
        file,
        expected: `${length} bytes from ${offset} on`,
        received: `${filled} bytes`,
      });
    }
    filled += bytesRead;
  }
  return bytes;
}

/**
 * Reads a small file whole.
 * @throws {InvalidCheckpointError} when it cannot be read or is longer than `maxBytes`.
 */
export async function readSmallFile(file: string, maxBytes: number): Promise<Uint8Array> {
  return await withRegularFile(file, async (handle, fileSize) => {
    if (fileSize > maxBytes) {
      throw new InvalidCheckpointError({ file, expected: `at most ${maxBytes} bytes`, received: `${fileSize} bytes` });
    }
    return await readRange({ handle, file, offset: 0, length: fileSize });
  });
}
