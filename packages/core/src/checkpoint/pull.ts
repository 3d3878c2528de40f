import { randomBytes } from 'node:crypto';
import { link, mkdir, readlink, rename, rm, stat, statfs, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { throwIfAborted } from '../errors/aborted-error.js';
import { DiskFullError } from '../errors/disk-full-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { downloadBlob } from './blob-download.js';
import { hubCacheFolder, isCommit, parseRepository, repositoryFolder } from './hub-cache.js';
import { createHubClient, type HubClientOptions } from './hub-client.js';
import { type HubFile, listCheckpointFiles } from './hub-listing.js';
import { resumableBytes } from './partial-file.js';

/** Progress is told at most this often, ms. */
const PROGRESS_INTERVAL_MS = 100;

/** What a pull tells while it runs. Sizes are bytes. */
export type PullEvent =
  /** What there is to do. `presentBytes` of the `totalBytes` are there already, some of them in files half done. */
  | {
      readonly type: 'start';
      readonly commit: string;
      readonly files: number;
      readonly totalBytes: number;
      readonly presentBytes: number;
    }
  /** One file grew: `bytes` and `totalBytes` count all files, `fileBytes` and `fileSize` this one. */
  | {
      readonly type: 'progress';
      readonly file: string;
      readonly fileBytes: number;
      readonly fileSize: number;
      readonly bytes: number;
      readonly totalBytes: number;
    }
  /** A file is there and checked; `cached` when it was before. */
  | { readonly type: 'file'; readonly file: string; readonly fileSize: number; readonly cached: boolean }
  /** All is there. */
  | { readonly type: 'done'; readonly path: string; readonly totalBytes: number; readonly downloadedBytes: number };

export interface PullOptions extends Pick<HubClientOptions, 'fetch' | 'retries' | 'retryDelay' | 'idleTimeout'> {
  /** `OWNER/NAME`. */
  repo: string;
  /** Branch, tag or commit. Default `main`. */
  revision?: string | undefined;
  /** Default: the cache that all Hugging Face libraries share (`HF_HUB_CACHE`, `HF_HOME`). */
  cacheDir?: string | undefined;
  /** Default: `HF_TOKEN`, where it is set. */
  token?: string | undefined;
  /** URL of the hub. Default: `HF_ENDPOINT`, else `https://huggingface.co`. */
  endpoint?: string | undefined;
  onProgress?: ((event: PullEvent) => void) | undefined;
  signal?: AbortSignal | undefined;
}

export interface PulledCheckpoint {
  readonly repo: string;
  readonly revision: string;
  /** Commit that the revision stood for. */
  readonly commit: string;
  /** Folder to open: the commit's snapshot in the cache. */
  readonly path: string;
  readonly files: number;
  readonly totalBytes: number;
  /** Bytes that came over the network. */
  readonly downloadedBytes: number;
}

/**
 * Downloads a checkpoint from the Hugging Face Hub into the cache that all its libraries share: `blobs/` named by digest,
 * `snapshots/COMMIT/` of symlinks to them, `refs/REVISION`. Only what VIBE needs is loaded. A download that broke off goes on where
 * it stopped, also in a later call; every file's digest is checked before it gets its name; the revision is written last, so a
 * checkpoint that opens by its name is whole. Two pulls at once do not disturb each other.
 * @throws {DownloadError} when the hub refuses, breaks off too often, or sends what it did not list.
 * @throws {DiskFullError} before anything is loaded when the disk has no room for it, or later when it filled up.
 * @throws {InvalidArgumentError} {AbortedError}
 * @example
 * ```ts
 * import { openCheckpoint, pullCheckpoint } from '@vibe-edit/core';
 *
 * const { path } = await pullCheckpoint({ repo: 'iitolstykh/VIBE-Image-Edit' });
 * const checkpoint = await openCheckpoint(path);
 * ```
 */
export async function pullCheckpoint(options: PullOptions): Promise<PulledCheckpoint> {
  const { repo, revision = 'main', onProgress = () => {}, signal } = options;
  const name = parseRepository(`${repo}@${revision}`);
  if (name?.repo !== repo || name.revision !== revision) {
    throw new InvalidArgumentError({
      argument: 'repo',
      expected: 'OWNER/NAME and a branch, tag or commit',
      received: JSON.stringify(`${repo}@${revision}`),
    });
  }
  throwIfAborted(signal);
  const client = createHubClient({
    ...options,
    endpoint: options.endpoint ?? (process.env.HF_ENDPOINT || undefined),
    token: options.token ?? process.env.HF_TOKEN,
  });
  const { commit, files } = await listCheckpointFiles(client, repo, revision);

  const folder = repositoryFolder(options.cacheDir ?? hubCacheFolder(), repo);
  const blobs = join(folder, 'blobs');
  await mkdir(blobs, { recursive: true });
  const blobOf = (file: HubFile): string => join(blobs, file.digest.hex);
  const sizes = await Promise.all(files.map(async (file) => await presentBytes(blobOf(file), file.size)));
  const totalBytes = files.reduce((sum, { size }) => sum + size, 0);
  let bytes = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
  await checkSpace(blobs, totalBytes - bytes);
  onProgress({ type: 'start', commit, files: files.length, totalBytes, presentBytes: bytes });

  let downloadedBytes = 0;
  for (const [index, file] of files.entries()) {
    throwIfAborted(signal);
    const { path, size: fileSize } = file;
    let fileBytes = sizes[index]!.bytes;
    // Asked again: files of equal content share a blob, and another pull may have been faster.
    const cached = (await presentBytes(blobOf(file), fileSize)).whole;
    if (cached) {
      bytes += fileSize - fileBytes;
    } else {
      let told = 0;
      downloadedBytes += await downloadBlob({
        client,
        url: `${client.endpoint}/${repo}/resolve/${commit}/${path.split('/').map(encodeURIComponent).join('/')}`,
        file,
        target: blobOf(file),
        signal,
        onBytes: (now) => {
          bytes += now - fileBytes;
          fileBytes = now;
          if (now < fileSize && performance.now() - told < PROGRESS_INTERVAL_MS) return;
          told = performance.now();
          onProgress({ type: 'progress', file: path, fileBytes, fileSize, bytes, totalBytes });
        },
      });
    }
    onProgress({ type: 'file', file: path, fileSize, cached });
  }

  const snapshot = join(folder, 'snapshots', commit);
  for (const file of files) await linkBlob(join(snapshot, ...file.path.split('/')), blobOf(file));
  if (!isCommit(revision)) await writeRef(join(folder, 'refs', ...revision.split('/')), commit);
  onProgress({ type: 'done', path: snapshot, totalBytes, downloadedBytes });
  return { repo, revision, commit, path: snapshot, files: files.length, totalBytes, downloadedBytes };
}

async function presentBytes(blob: string, size: number): Promise<{ whole: boolean; bytes: number }> {
  const stats = await stat(blob).catch(() => undefined);
  // A blob got its name when its digest was right; a size that differs is a damage since.
  if (stats?.isFile() && stats.size === size) return { whole: true, bytes: size };
  return { whole: false, bytes: Math.min(await resumableBytes(blob), size) };
}

async function checkSpace(path: string, needed: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  const available = bavail * bsize;
  if (needed > available) throw new DiskFullError({ path, needed, available });
}

/** Makes the snapshot's entry for a file: a relative symlink, so that the cache can be moved. */
async function linkBlob(path: string, blob: string): Promise<void> {
  const target = relative(dirname(path), blob);
  if ((await readlink(path).catch(() => undefined)) === target) return;
  await mkdir(dirname(path), { recursive: true });
  await replace(path, async (temporary) => {
    try {
      await symlink(target, temporary);
    } catch {
      // Windows lets not everybody make symlinks.
      await link(blob, temporary);
    }
  });
}

async function writeRef(path: string, commit: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await replace(path, async (temporary) => await writeFile(temporary, commit));
}

/** Makes a file under another name first: nobody ever sees half of it. */
async function replace(path: string, make: (temporary: string) => Promise<void>): Promise<void> {
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await make(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
