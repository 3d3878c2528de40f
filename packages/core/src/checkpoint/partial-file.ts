import { createHash, randomBytes } from 'node:crypto';
import { constants, type FileHandle, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';

/** A partial file of another machine on a shared disk counts as abandoned when it was not written to for so long, ms. */
const ABANDONED_AFTER_MS = 24 * 60 * 60 * 1000;

/**
 * A file on its way to `target`. Its name says which process writes it, so that two downloads of one blob never share a
 * file: `DIGEST.MACHINE-PROCESS-RANDOM.incomplete`, or `DIGEST.free-RANDOM.incomplete` when its process has left it in order. The
 * next download takes over the longest one whose process is gone; the renaming lets only one win.
 */
export interface PartialFile {
  readonly handle: FileHandle;
  /** Bytes that are there. */
  size: number;
  /** The server's validator of those bytes, to resume with. */
  etag: string | undefined;
  /** Throws away what is there, and remembers the validator of what will come. */
  restart(etag: string | undefined): Promise<void>;
  /** Moves the finished file to its place. */
  publish(): Promise<void>;
  /** Leaves it to a later download. */
  release(): Promise<void>;
}

const MACHINE = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** Takes over an abandoned partial file of `target`, or begins a new one. */
export async function claimPartialFile(target: string): Promise<PartialFile> {
  const random = randomBytes(6).toString('hex');
  const path = `${target}.${MACHINE}-${process.pid}-${random}.incomplete`;
  await takeOver(target, path);
  const handle = await open(path, constants.O_RDWR | constants.O_CREAT);
  const partial: PartialFile = {
    handle,
    size: (await handle.stat()).size,
    etag: await readEtag(path),
    async restart(etag) {
      await handle.truncate(0);
      partial.size = 0;
      partial.etag = etag;
      if (etag === undefined) await rm(etagPath(path), { force: true });
      else await writeFile(etagPath(path), etag);
    },
    async publish() {
      await handle.sync();
      await handle.close();
      await rename(path, target);
      await rm(etagPath(path), { force: true });
    },
    async release() {
      await handle.close();
      if (partial.size === 0) {
        await remove(path);
        return;
      }
      await move(path, `${target}.free-${random}.incomplete`);
    },
  };
  return partial;
}

/** Bytes of partial files that a download of `target` could go on from. */
export async function resumableBytes(target: string): Promise<number> {
  return (await abandoned(target))[0]?.size ?? 0;
}

async function takeOver(target: string, path: string): Promise<void> {
  let taken = false;
  for (const candidate of await abandoned(target)) {
    // Longest first: what is shorter is of no more use.
    if (taken) await remove(candidate.path);
    else taken = await move(candidate.path, path);
  }
}

/** Partial files of `target` that nobody writes, longest first. */
async function abandoned(target: string): Promise<{ path: string; size: number }[]> {
  const folder = join(target, '..');
  const prefix = `${basename(target)}.`;
  const found: { path: string; size: number }[] = [];
  for (const name of await readdir(folder)) {
    if (!name.startsWith(prefix) || !name.endsWith('.incomplete')) continue;
    const path = join(folder, name);
    const stats = await stat(path).catch(() => undefined);
    if (stats?.isFile() && isAbandoned(name.slice(prefix.length, -'.incomplete'.length), stats.mtimeMs)) {
      found.push({ path, size: stats.size });
    }
  }
  return found.sort((a, b) => b.size - a.size);
}

function isAbandoned(claim: string, modified: number): boolean {
  if (claim.startsWith('free-')) return true;
  const [machine, pid] = claim.split('-');
  if (machine !== MACHINE) return Date.now() - modified > ABANDONED_AFTER_MS;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    // EPERM: it runs, as another user.
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}

/** Moves a partial file with its validator; false when another process was faster. */
async function move(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
  } catch {
    return false;
  }
  await rename(etagPath(from), etagPath(to)).catch(() => undefined);
  return true;
}

async function remove(path: string): Promise<void> {
  await rm(path, { force: true });
  await rm(etagPath(path), { force: true });
}

async function readEtag(path: string): Promise<string | undefined> {
  return strongEtag(await readFile(etagPath(path), 'utf8').catch(() => null));
}

/** An entity tag that promises equal bytes: weak ones do not (RFC 9110, 13.1.5). */
export function strongEtag(etag: string | null): string | undefined {
  return etag !== null && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : undefined;
}

function etagPath(path: string): string {
  return `${path}.etag`;
}
