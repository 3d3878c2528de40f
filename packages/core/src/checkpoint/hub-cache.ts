import { readFile, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

/** A repository of the Hugging Face Hub at a branch, tag or commit. */
export interface HubRepository {
  /** `OWNER/NAME`. */
  readonly repo: string;
  /** Default `main`. */
  readonly revision: string;
}

const REPOSITORY = /^([A-Za-z0-9_][\w.-]{0,95}\/[A-Za-z0-9_][\w.-]{0,95})(?:@(.+))?$/;
const COMMIT = /^[0-9a-f]{40}$/;

/**
 * Splits `OWNER/NAME` or `OWNER/NAME@REVISION`.
 * @returns undefined when the text is no such name.
 * @example
 * parseRepository('iitolstykh/VIBE-Image-Edit@main'); // { repo: 'iitolstykh/VIBE-Image-Edit', revision: 'main' }
 */
export function parseRepository(text: string): HubRepository | undefined {
  const match = REPOSITORY.exec(text);
  const repo = match?.[1];
  const revision = match?.[2] ?? 'main';
  // `--` parts owner and name in the cache; the Hub allows it in neither.
  if (repo === undefined || repo.includes('..') || repo.includes('--') || !isSafePath(revision)) return undefined;
  return { repo, revision };
}

const RESERVED = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i;

/**
 * Whether a path from outside stays inside the folder it is joined to, on every system: relative, forward slashes, no `.` or `..`,
 * nothing that Windows reads otherwise.
 */
export function isSafePath(path: string): boolean {
  if (path.length > 1024) return false;
  return path.split('/').every((part) => {
    return part.length > 0 && part.length <= 255 && !/[\p{Cc}\\:*?"<>|]|[. ]$/u.test(part) && !RESERVED.test(part);
  });
}

/** Whether a revision is a full commit id. */
export function isCommit(revision: string): boolean {
  return COMMIT.test(revision);
}

/**
 * Folder of the cache that all Hugging Face libraries share: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else in
 * `$XDG_CACHE_HOME/huggingface` or `~/.cache/huggingface`.
 */
export function hubCacheFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE, HF_HOME, XDG_CACHE_HOME } = environment;
  const own = HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE;
  if (own) return expandHome(own);
  if (HF_HOME) return join(expandHome(HF_HOME), 'hub');
  return join(XDG_CACHE_HOME ? expandHome(XDG_CACHE_HOME) : join(homedir(), '.cache'), 'huggingface', 'hub');
}

function expandHome(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** Folder of a repository in the cache. */
export function repositoryFolder(cacheDir: string, repo: string): string {
  return join(cacheDir, `models--${repo.replace('/', '--')}`);
}

/**
 * Folder of a snapshot in a repository's folder of the cache.
 * @returns undefined when the revision is not there.
 */
export async function findSnapshot(folder: string, revision: string): Promise<string | undefined> {
  if (!isSafePath(revision)) {
    throw new InvalidArgumentError({
      argument: 'revision',
      expected: 'a branch, tag or commit',
      received: JSON.stringify(revision),
    });
  }
  let commit: string | undefined = isCommit(revision) ? revision : undefined;
  try {
    commit ??= (await readFile(join(folder, 'refs', ...revision.split('/')), 'utf8')).trim();
  } catch {
    return undefined;
  }
  if (!isCommit(commit)) return undefined;
  const snapshot = join(folder, 'snapshots', commit);
  return (await isFolder(snapshot)) ? snapshot : undefined;
}

/** Whether a path is a folder, symlinks followed. */
export async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}
