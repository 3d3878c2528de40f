import { readdir, readFile, statfs } from 'node:fs/promises';
import { availableParallelism, cpus, freemem } from 'node:os';
import { dirname, join } from 'node:path';
import { hubCacheFolder, memoryLimit } from '@vibe-edit/core';
import { kindOf } from '../expand-inputs.js';
import { formatBytes } from '../format-amounts.js';
import type { Check } from './check.js';

/** Oldest Node that every part works on: major and minor. */
const OLDEST_NODE = [20, 19] as const;
/** Memory that an edit with a full-size checkpoint fits in. */
const FULL_SIZE_MEMORY = 16e9;
/** Size of a full-size checkpoint on disk, rounded up. */
const FULL_SIZE_DISK = 16e9;

export function checkNode(version: string = process.versions.node): Check {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST_NODE;
  const enough = major > oldestMajor || (major === oldestMajor && minor >= oldestMinor);
  return {
    name: 'node',
    status: enough ? 'ok' : 'failed',
    detail: enough ? version : `${version}, but ${oldestMajor}.${oldestMinor} or newer is needed`,
  };
}

export function checkProcessor(): Check {
  const model = cpus()[0]?.model.trim() || 'processor';
  return {
    name: 'processor',
    status: 'ok',
    detail: `${availableParallelism()} threads, ${model} (${process.platform} ${process.arch})`,
  };
}

export function checkMemory(limit: number = memoryLimit(), free: number = freemem()): Check {
  const detail = `${formatBytes(limit)}, ${formatBytes(free)} of the machine's free`;
  if (limit >= FULL_SIZE_MEMORY) return { name: 'memory', status: 'ok', detail };
  return {
    name: 'memory',
    status: 'warning',
    detail: `${detail}; small checkpoints run, full-size ones want ${formatBytes(FULL_SIZE_MEMORY)}`,
  };
}

/** The cache of checkpoints: where it is, what lies there, and the room on its disk. */
export async function checkCache(folder: string = hubCacheFolder()): Promise<Check> {
  const pulled = await pulledCheckpoints(folder);
  const { bavail, bsize } = await statfs(await existingFolder(folder));
  const free = bavail * bsize;
  const content = pulled.length === 0 ? 'no checkpoint pulled' : pulled.join(', ');
  const detail = `${folder}: ${content}, ${formatBytes(free)} free on its disk`;
  if (free >= FULL_SIZE_DISK || pulled.length > 0) return { name: 'cache', status: 'ok', detail };
  return {
    name: 'cache',
    status: 'warning',
    detail: `${detail}; a full-size checkpoint takes up to ${formatBytes(FULL_SIZE_DISK)} (HF_HOME names another folder)`,
  };
}

/** Repositories in the cache that hold a pipeline of the class that this program runs; other libraries keep theirs there too. */
async function pulledCheckpoints(folder: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await list(folder)) {
    const [kind, owner, name] = entry.split('--');
    if (kind !== 'models' || name === undefined) continue;
    for (const commit of await list(join(folder, entry, 'snapshots'))) {
      const index = await readText(join(folder, entry, 'snapshots', commit, 'model_index.json'));
      if (index.includes('"VIBESanaEditingPipeline"')) names.push(`${owner}/${name}@${commit.slice(0, 7)}`);
    }
  }
  return names;
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return '';
  }
}

async function list(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

/** The folder, or the nearest one above it that exists. */
async function existingFolder(folder: string): Promise<string> {
  let path = folder;
  while ((await kindOf(path)) === 'nothing' && dirname(path) !== path) path = dirname(path);
  return path;
}
