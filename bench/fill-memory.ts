import { createReadStream } from 'node:fs';
import { readFile, truncate, writeFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { join } from 'node:path';

/** What stays free. */
const LEFT_BYTES = 512 * 2 ** 20;

/**
 * Fills the free memory with cached pages of an empty file in a folder, which the system gives up as soon as a program needs them:
 * the state of a machine that has read files for a while. Memory that is free may have to come from the host first where the machine
 * is a virtual one. Linux only.
 */
export async function fillMemory(folder: string): Promise<void> {
  const file = join(folder, 'empty.bin');
  await writeFile(file, '');
  await truncate(file, totalmem());
  for await (const _ of createReadStream(file, { highWaterMark: 2 ** 22 })) {
    if ((await freeBytes()) < LEFT_BYTES) return;
  }
}

async function freeBytes(): Promise<number> {
  const kilobytes = /^MemFree:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
