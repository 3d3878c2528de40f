import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { glob, isDynamicPattern } from 'tinyglobby';
import { InputError } from './input-error.js';
import { UsageError } from './usage-error.js';

/** Stands for standard input and standard output. */
export const STANDARD_STREAM = '-';

/**
 * The pictures that arguments name: paths, patterns (for shells that leave them alone) and `-`. A file of exactly that name wins
 * over a pattern; what two arguments name is taken once.
 *
 * @returns Paths as given, or as the pattern found them, relative to `cwd`.
 * @throws {InputError} when a file is not there, is a folder, or a pattern finds nothing.
 */
export async function expandInputs({ inputs, cwd }: { inputs: readonly string[]; cwd: string }): Promise<string[]> {
  const found: string[] = [];
  for (const input of inputs) {
    if (input === STANDARD_STREAM) {
      if (found.includes(input)) throw new UsageError('Expected - (standard input) once');
      found.push(input);
    } else if (isDynamicPattern(input) && (await kindOf(resolve(cwd, input))) === 'nothing') {
      found.push(...(await matches(input, cwd)));
    } else {
      await requirePicture(input, cwd);
      found.push(input);
    }
  }
  const seen = new Set<string>();
  return found.filter((path) => {
    const absolute = path === STANDARD_STREAM ? path : resolve(cwd, path);
    return seen.has(absolute) ? false : seen.add(absolute);
  });
}

/** What stands at a path, symlinks followed. */
export async function kindOf(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch {
    return 'nothing';
  }
}

/** @throws {InputError} when there is no file at the path. */
export async function requirePicture(path: string, cwd: string): Promise<void> {
  const kind = await kindOf(resolve(cwd, path));
  if (kind === 'file') return;
  if (kind === 'folder') {
    const pattern = `${path.replace(/[/\\]+$/, '')}/*.jpg`;
    throw new InputError({ path, expected: 'a picture file', received: 'a folder', hint: `Did you mean ${pattern}?` });
  }
  // `edit photo.jpg make it warmer` asks for the files make and it.
  const hint = extname(path) === '' ? { hint: 'An instruction of several words needs quotes' } : {};
  throw new InputError({ path, expected: 'a picture file', received: 'no such file', ...hint });
}

async function matches(pattern: string, cwd: string): Promise<string[]> {
  // Patterns are written with forward slashes on every system.
  const paths = await glob(pattern.replaceAll('\\', '/'), { cwd, onlyFiles: true, expandDirectories: false });
  if (paths.length === 0) throw new InputError({ path: pattern, expected: 'a matching file', received: 'none' });
  return paths.sort();
}
