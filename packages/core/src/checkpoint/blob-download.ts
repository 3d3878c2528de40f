import { createHash, type Hash } from 'node:crypto';
import { throwIfAborted } from '../errors/aborted-error.js';
import { DiskFullError } from '../errors/disk-full-error.js';
import { DownloadError } from '../errors/download-error.js';
import { type Attempt, discard, type HubClient, PassingFault, publicUrl, readBody } from './hub-client.js';
import type { HubFile } from './hub-listing.js';
import { claimPartialFile, type PartialFile, strongEtag } from './partial-file.js';

/** Progress of so much makes the client forget earlier failures, bytes. */
const PROGRESS_BYTES = 2 ** 20;

export interface BlobDownload {
  client: HubClient;
  url: string;
  file: HubFile;
  /** Where the finished file goes. */
  target: string;
  /** Called with the bytes of this file that are there. */
  onBytes(bytes: number): void;
  signal?: AbortSignal | undefined;
}

/**
 * Downloads one file: goes on from what an earlier try left, checks length and digest, then moves it to its place in one step.
 * What was loaded stays for the next time when it fails.
 * @returns bytes that came over the network.
 * @throws {DownloadError} when the server refuses, breaks off too often, or sends something else than was listed, twice.
 * @throws {DiskFullError} when the disk fills up.
 */
export async function downloadBlob(download: BlobDownload): Promise<number> {
  const partial = await claimPartialFile(download.target);
  let published = false;
  try {
    const received = await new Transfer(download, partial).run();
    await partial.publish();
    published = true;
    return received;
  } catch (error) {
    throw isDiskFull(error)
      ? new DiskFullError({
          path: download.target,
          needed: download.file.size - partial.size,
          available: 0,
          cause: error,
        })
      : error;
  } finally {
    if (!published) await partial.release();
  }
}

/** What came is not what was listed: all of it is worthless. */
class Mismatch extends Error {}

class Transfer {
  readonly #download: BlobDownload;
  readonly #partial: PartialFile;
  #hash: Hash;
  #received = 0;
  /** Most bytes that were ever there: what is loaded twice is no progress. */
  #furthest = 0;

  constructor(download: BlobDownload, partial: PartialFile) {
    this.#download = download;
    this.#partial = partial;
    this.#hash = startHash(download.file);
  }

  /** Loads until digest and length are right. What cannot be is loaded anew once: it may stem from an older partial file. */
  async run(): Promise<number> {
    const { url, file } = this.#download;
    try {
      await this.#hashPartial();
      await this.#load();
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error;
      await this.#restart(undefined);
      try {
        await this.#load();
      } catch (again) {
        if (!(again instanceof Mismatch)) throw again;
        await this.#restart(undefined);
        throw new DownloadError({
          url: publicUrl(url),
          expected: `${file.size} bytes with ${file.digest.algorithm} ${file.digest.hex}`,
          received: again.message,
          cause: again,
        });
      }
    }
    return this.#received;
  }

  async #hashPartial(): Promise<void> {
    const { file, onBytes, signal } = this.#download;
    const { handle, size } = this.#partial;
    if (size > file.size) throw new Mismatch(`${size} bytes`);
    const buffer = new Uint8Array(Math.min(size, 2 ** 20));
    for (let position = 0; position < size; ) {
      throwIfAborted(signal);
      const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, size - position), position);
      if (bytesRead === 0) throw new Mismatch(`${position} bytes`);
      this.#hash.update(buffer.subarray(0, bytesRead));
      position += bytesRead;
    }
    this.#furthest = size;
    onBytes(size);
  }

  async #load(): Promise<void> {
    const { client, url, file } = this.#download;
    if (this.#partial.size < file.size) await client.retrying(url, async (attempt) => await this.#try(attempt));
    const hex = this.#hash.digest('hex');
    if (hex !== file.digest.hex) throw new Mismatch(`${file.digest.algorithm} ${hex}`);
  }

  async #try(attempt: Attempt): Promise<void> {
    const { client, url, file, onBytes } = this.#download;
    const partial = this.#partial;
    const response = await client.get(url, attempt, this.#headers());
    const start = startOfBody(response);
    if (start === 0) {
      await this.#restart(strongEtag(response.headers.get('etag')));
    } else if (start !== partial.size) {
      await discard(response);
      await this.#restart(undefined);
      throw new PassingFault({ received: 'another range than was asked for', status: response.status });
    }
    for await (const chunk of readBody(response, attempt)) {
      if (partial.size + chunk.length > file.size) throw new Mismatch(`more than ${file.size} bytes`);
      await writeAll(partial, chunk);
      this.#hash.update(chunk);
      this.#received += chunk.length;
      if (partial.size >= this.#furthest + PROGRESS_BYTES) {
        this.#furthest = partial.size;
        attempt.progressed();
      }
      onBytes(partial.size);
    }
    if (partial.size < file.size) throw new PassingFault({ received: `${partial.size} of ${file.size} bytes` });
  }

  #headers(): Record<string, string> {
    // Compressed answers have no ranges of the file's own bytes.
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (this.#partial.size === 0) return headers;
    headers.range = `bytes=${this.#partial.size}-`;
    // With a validator the server sends the whole file, should it have changed; without one the digest tells.
    if (this.#partial.etag !== undefined) headers['if-range'] = this.#partial.etag;
    return headers;
  }

  async #restart(etag: string | undefined): Promise<void> {
    await this.#partial.restart(etag);
    this.#hash = startHash(this.#download.file);
    this.#download.onBytes(0);
  }
}

function startHash({ digest, size }: HubFile): Hash {
  // Git hashes a blob with its length before it.
  return digest.algorithm === 'sha256' ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`);
}

/** Where in the file the body of an answer begins; undefined when it is no part of the file. */
function startOfBody(response: Response): number | undefined {
  if (response.status !== 206) return response.ok ? 0 : undefined;
  const range = /^bytes (\d{1,15})-\d+\/(?:\d+|\*)$/.exec(response.headers.get('content-range') ?? '');
  return range === null ? undefined : Number(range[1]);
}

async function writeAll(partial: PartialFile, chunk: Uint8Array): Promise<void> {
  let written = 0;
  while (written < chunk.length) {
    const { bytesWritten } = await partial.handle.write(chunk, written, chunk.length - written, partial.size);
    written += bytesWritten;
    partial.size += bytesWritten;
  }
}

function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
