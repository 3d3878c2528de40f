import { throwIfAborted } from '@vibe-edit/core/runtime';
import type { CliIo } from './cli-io.js';
import { InputError } from './input-error.js';
import { UsageError } from './usage-error.js';

/** More than any picture within the pixel limit takes; a stream without an end must not fill the memory. */
const MAX_BYTES = 1 << 30;

/**
 * A picture from standard input, whole.
 * @throws {UsageError} when it is a terminal.
 * @throws {InputError} when it is empty or has no end.
 * @throws {AbortedError} when the signal is aborted while waiting.
 */
export async function readStdin({ stdin, signal }: CliIo): Promise<Uint8Array> {
  if (stdin.isTTY) throw new UsageError('Expected a picture on standard input, not a terminal');
  throwIfAborted(signal);
  const stop = (): void => void stdin.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of stdin) {
      const bytes: Uint8Array = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
      length += bytes.length;
      if (length > MAX_BYTES) {
        throw new InputError({ path: '-', expected: `at most ${MAX_BYTES} bytes`, received: 'more' });
      }
      chunks.push(bytes);
    }
    throwIfAborted(signal);
    if (length === 0) throw new InputError({ path: '-', expected: 'a picture', received: 'nothing' });
    return Buffer.concat(chunks);
  } catch (error) {
    throwIfAborted(signal);
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
