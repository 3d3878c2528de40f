import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readdir, readFile, rename, rm, stat, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { AbortedError } from '../errors/aborted-error.js';
import { BlobMissingError } from '../errors/blob-missing-error.js';
import { DiskFullError } from '../errors/disk-full-error.js';
import { blobKeyOf, newBlobKey } from './blob-key.js';
import type { BlobReference, BlobStore } from './blob-store.js';
import { boundedChunks, DEFAULT_MAX_BLOB_BYTES } from './bounded-chunks.js';

/** Unfinished files this old were left by a process that died, ms. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

export interface FolderBlobStoreOptions {
  /** Made when it is not there. Several processes may share it. */
  folder: string;
  /** Most bytes of one blob. Default 64 MiB. */
  maxBytes?: number;
}

/**
 * Blobs as files of a folder, `FOLDER/ab/abcd...`, each written under another name, brought to the disk, then renamed: what has a key is
 * whole. Files are readable for their owner only.
 * @throws {DiskFullError} from `put`, when the disk is full.
 */
export function createFolderBlobStore(options: FolderBlobStoreOptions): BlobStore {
  const folder = resolve(options.folder);
  const unfinished = join(folder, 'unfinished');
  const { maxBytes = DEFAULT_MAX_BLOB_BYTES } = options;
  let prepared: Promise<void> | undefined;

  const prepare = async (): Promise<void> => {
    await mkdir(unfinished, { recursive: true, mode: 0o700 });
    await removeUnfinished(Date.now() - ABANDONED_AFTER_MS);
  };
  const removeUnfinished = async (before: number): Promise<void> => {
    for (const name of await namesIn(unfinished)) {
      const path = join(unfinished, name);
      if (await isOlder(path, before)) await rm(path, { force: true });
    }
  };
  const pathOf = (blob: BlobReference | string): string | undefined => {
    const key = blobKeyOf(blob);
    return key === undefined || key.length < 3 ? undefined : join(folder, key.slice(0, 2), key);
  };

  return {
    async put(data, putOptions) {
      prepared ??= prepare();
      await prepared.catch((error: unknown) => {
        prepared = undefined;
        throw error;
      });
      const key = newBlobKey();
      const path = join(unfinished, key);
      const target = pathOf(key) as string;
      const hash = createHash('sha256');
      let bytes = 0;
      try {
        const file = await open(path, 'wx', 0o600);
        try {
          for await (const chunk of boundedChunks(data, putOptions, maxBytes)) {
            hash.update(chunk);
            bytes += chunk.byteLength;
            await file.writeFile(chunk);
          }
          await file.sync();
        } finally {
          await file.close();
        }
        await mkdir(join(target, '..'), { recursive: true, mode: 0o700 });
        await rename(path, target);
      } catch (error) {
        await rm(path, { force: true });
        if (isCode(error, 'ENOSPC')) {
          const { bavail, bsize } = await statfs(folder);
          throw new DiskFullError({ path: folder, needed: bytes, available: bavail * bsize, cause: error });
        }
        throw error;
      }
      return { key, mediaType: putOptions.mediaType, bytes, sha256: hash.digest('hex') };
    },
    async get(blob, { signal } = {}) {
      const path = pathOf(blob);
      if (path === undefined) throw new BlobMissingError({ key: String(typeof blob === 'string' ? blob : blob?.key) });
      try {
        return new Uint8Array(await readFile(path, { signal }));
      } catch (error) {
        if (signal?.aborted) throw new AbortedError(signal.reason);
        if (isCode(error, 'ENOENT')) throw new BlobMissingError({ key: blobKeyOf(blob) as string, cause: error });
        throw error;
      }
    },
    async exists(blob) {
      const path = pathOf(blob);
      if (path === undefined) return false;
      return access(path, constants.R_OK).then(
        () => true,
        () => false,
      );
    },
    async delete(blob) {
      const path = pathOf(blob);
      if (path !== undefined) await rm(path, { force: true });
    },
    async *list({ before }) {
      await removeUnfinished(before);
      for (const start of await namesIn(folder)) {
        if (start.length !== 2) continue;
        for (const key of await namesIn(join(folder, start))) {
          const path = key.startsWith(start) ? pathOf(key) : undefined;
          if (path !== undefined && (await isOlder(path, before))) yield key;
        }
      }
    },
    async close() {},
  };
}

/** None for what is not there, or is no folder. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isCode(error, 'ENOENT') || isCode(error, 'ENOTDIR')) return [];
    throw error;
  }
}

/** Whether it is a file that was written before a moment, ms; others may remove it meanwhile. */
async function isOlder(path: string, before: number): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  return stats?.isFile() === true && stats.mtimeMs < before;
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
