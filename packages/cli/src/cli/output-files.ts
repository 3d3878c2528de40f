import { randomBytes } from 'node:crypto';
import { mkdir, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import type { TerminalStream } from './cli-io.js';
import { kindOf, STANDARD_STREAM } from './expand-inputs.js';
import { OutputError } from './output-error.js';
import type { PlannedOutput } from './plan-outputs.js';
import { UsageError } from './usage-error.js';

/** @throws {UsageError} when a picture would go to a terminal, or among the text of a JSON document. */
export function requireUsableStream({
  outputs,
  stdout,
  json,
}: {
  outputs: readonly PlannedOutput[];
  stdout: TerminalStream<NodeJS.WritableStream>;
  json: boolean;
}): void {
  if (!outputs.some(({ path }) => path === STANDARD_STREAM)) return;
  if (stdout.isTTY)
    throw new UsageError('Expected a file or a pipe for the picture, not a terminal: name a file with --output');
  if (json)
    throw new UsageError('Expected a file for the picture, as --json takes standard output: name one with --output');
}

/**
 * Makes sure that results can be written, before work is done for them: names of our own must be free, a source is never
 * replaced (both but for `force`), folders that a result goes into are made.
 *
 * @throws {OutputError} naming the first path that is not to be written.
 */
export async function prepareOutputs({
  outputs,
  inputs,
  cwd,
  force,
}: {
  outputs: readonly PlannedOutput[];
  inputs: readonly string[];
  cwd: string;
  force: boolean;
}): Promise<void> {
  const sources = new Set<string>();
  for (const input of inputs) if (input !== STANDARD_STREAM) sources.add(await linkTarget(resolve(cwd, input)));
  for (const { path, named } of outputs) {
    if (path === STANDARD_STREAM) continue;
    const absolute = resolve(cwd, path);
    const kind = await kindOf(absolute);
    if (kind === 'folder') throw new OutputError({ path, message: 'is a folder' });
    if (kind === 'file' && !force) {
      if (sources.has(await linkTarget(absolute))) {
        throw new OutputError({ path, message: 'is the source; name another file, or replace it with --force' });
      }
      if (!named)
        throw new OutputError({
          path,
          message: 'is there already; replace it with --force, or name a file with --output',
        });
    }
    await requireFolder(path, dirname(absolute), named);
  }
}

async function requireFolder(path: string, folder: string, named: boolean): Promise<void> {
  if ((await kindOf(folder)) === 'folder') return;
  // A folder that does not exist in front of a file's name is more often a slip than a wish.
  if (named) throw new OutputError({ path, message: 'its folder does not exist' });
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new OutputError({ path: folder, message: `cannot be made (${reasonOf(cause)})`, cause });
  }
}

/**
 * Writes a file whole or not at all: under another name first, then renamed.
 * @throws {OutputError} when it cannot be written.
 */
export async function writeOutput(path: string, bytes: Uint8Array, cwd: string): Promise<void> {
  try {
    const target = await linkTarget(resolve(cwd, path));
    if (await isSpecial(target)) {
      await writeFile(target, bytes);
      return;
    }
    const temporary = join(dirname(target), `.${basename(target)}.${randomBytes(6).toString('hex')}.part`);
    try {
      await writeFile(temporary, bytes, { flag: 'wx' });
      await rename(temporary, target);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  } catch (cause) {
    throw new OutputError({ path, message: `cannot be written (${reasonOf(cause)})`, cause });
  }
}

/** Where a link points, so that the link stays one; the path itself where nothing is, or nothing with a name (a pipe). */
async function linkTarget(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path;
  }
}

/** A device or a pipe, which must not be replaced by a file. */
async function isSpecial(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch {
    return false;
  }
}

/** The system's short word for what went wrong, e.g. `EACCES`. */
function reasonOf(cause: unknown): string {
  return cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
}
