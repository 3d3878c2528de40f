import { createReadStream } from 'node:fs';
import type { Checkpoint } from 'vibe-edit';

/**
 * Reads a checkpoint's weight files to their ends, so that they are in the page cache. Having been read once is not enough: a
 * system may drop pages that nobody used for a while, as some virtual machines do after a minute.
 */
export async function warmFiles({ textEncoder, transformer, vae }: Checkpoint): Promise<void> {
  const tensors = [textEncoder, transformer, vae].flatMap(({ stateDict }) => [...stateDict.values()]);
  for (const file of new Set(tensors.map((tensor) => tensor.file))) {
    for await (const _ of createReadStream(file, { highWaterMark: 2 ** 22 }));
  }
}
