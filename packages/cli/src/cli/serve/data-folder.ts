import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OutputError } from '../output-error.js';

/**
 * Makes the folder of a server's data, for its owner only.
 * @throws {OutputError} when that does not work.
 */
export async function makeDataFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const message = `cannot be made: ${cause instanceof Error ? cause.message : String(cause)}`;
    throw new OutputError({ path, message, cause });
  }
}

/**
 * Writes a file that is not there yet, whole or not at all, for its owner only.
 * @returns false when it is there already; it stays as it is.
 */
export async function writeNewFile(path: string, text: string): Promise<boolean> {
  const unfinished = `${path}.${randomBytes(6).toString('hex')}.unfinished`;
  try {
    await writeFile(unfinished, text, { mode: 0o600, flag: 'wx', flush: true });
    // Unlike a rename, a link does not replace what another process made meanwhile.
    await link(unfinished, path);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw new OutputError({ path, message: error instanceof Error ? error.message : String(error), cause: error });
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** What the signing secrets of callbacks are made from; made at the first start and kept, so that receivers need not be told again. */
export async function keptCallbackSecret(data: string): Promise<string> {
  const path = join(data, 'callback-secret');
  await writeNewFile(path, randomBytes(32).toString('base64url'));
  return await readFile(path, 'utf8');
}
