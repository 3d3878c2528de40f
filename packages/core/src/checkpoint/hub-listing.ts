import * as z from 'zod';
import { DownloadError } from '../errors/download-error.js';
import { VibeError } from '../errors/vibe-error.js';
import { isCommit, isSafePath } from './hub-cache.js';
import { type HubClient, publicUrl, readBody } from './hub-client.js';

const MAX_ANSWER_BYTES = 16 * 2 ** 20;
/** The hub lists a thousand entries a page. */
const MAX_REQUESTS = 50;
const MAX_ENTRIES = 20_000;

/** A file of a repository, as the hub lists it. */
export interface HubFile {
  /** Relative to the repository's root. */
  readonly path: string;
  /** Bytes. */
  readonly size: number;
  /** What its bytes must hash to: sha256 for large files, for the others the id of git's blob. Also its name in the cache. */
  readonly digest: { readonly algorithm: 'sha256' | 'git-sha1'; readonly hex: string };
}

export interface HubListing {
  /** Commit that the revision stands for. */
  readonly commit: string;
  /** The files that a VIBE checkpoint needs. */
  readonly files: readonly HubFile[];
}

const entrySchema = z.object({
  type: z.string(),
  path: z.string(),
  size: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  oid: z.string().optional(),
  lfs: z.object({ oid: z.string(), size: z.number() }).optional(),
});

/**
 * Asks the hub what a repository holds at a revision, and picks what a checkpoint is made of.
 * @throws {DownloadError} when the hub refuses, answers nonsense or names files that lead out of their folder.
 */
export async function listCheckpointFiles(client: HubClient, repo: string, revision: string): Promise<HubListing> {
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const url = `${client.endpoint}/${repo}`;
  const common = { hubUrl: client.endpoint, fetch: boundedFetch(client) };
  const entries: HubFile[] = [];
  try {
    const { sha: commit } = await modelInfo({ ...common, name: repo, revision, additionalFields: ['sha'] });
    if (typeof commit !== 'string' || !isCommit(commit)) {
      throw new DownloadError({ url, expected: 'a commit id', received: JSON.stringify(commit) ?? 'none' });
    }
    let count = 0;
    for await (const entry of listFiles({ ...common, repo, revision: commit, recursive: true })) {
      if (++count > MAX_ENTRIES)
        throw new DownloadError({ url, expected: `at most ${MAX_ENTRIES} files`, received: 'more' });
      const file = parseEntry(entry, url);
      if (file !== undefined) entries.push(file);
    }
    return { commit, files: selectFiles(entries, url) };
  } catch (error) {
    if (error instanceof VibeError) throw error;
    throw new DownloadError({ url, expected: 'a listing in JSON', received: String(error), cause: error });
  }
}

/** What the library fetches with: retried, bounded, and with the token added by the client, which knows where it may go. */
function boundedFetch(client: HubClient): typeof fetch {
  let requests = 0;
  return async (input) => {
    const url = input instanceof Request ? input.url : String(input);
    if (++requests > MAX_REQUESTS) {
      throw new DownloadError({
        url: publicUrl(url),
        expected: `a listing of at most ${MAX_REQUESTS} pages`,
        received: 'more',
      });
    }
    return await client.retrying(url, async (attempt) => {
      const response = await client.get(url, attempt, { accept: 'application/json' });
      const parts: Uint8Array<ArrayBuffer>[] = [];
      let length = 0;
      for await (const part of readBody(response, attempt)) {
        length += part.length;
        if (length > MAX_ANSWER_BYTES) {
          throw new DownloadError({
            url: publicUrl(url),
            expected: `at most ${MAX_ANSWER_BYTES} bytes`,
            received: 'more',
          });
        }
        parts.push(part);
      }
      return new Response(new Blob(parts), { status: 200, headers: response.headers });
    });
  };
}

function parseEntry(entry: unknown, url: string): HubFile | undefined {
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) {
    throw new DownloadError({
      url,
      expected: 'entries with type, path and size',
      received: JSON.stringify(entry)?.slice(0, 200) ?? 'none',
    });
  }
  const { type, path, size, oid, lfs } = parsed.data;
  if (leadsElsewhere(path) || (isNeeded(path) && !isSafePath(path))) {
    throw new DownloadError({ url, expected: 'relative file names', received: JSON.stringify(path.slice(0, 200)) });
  }
  if (type !== 'file' || !isNeeded(path)) return undefined;
  const digest: HubFile['digest'] =
    lfs === undefined ? { algorithm: 'git-sha1', hex: oid ?? '' } : { algorithm: 'sha256', hex: lfs.oid };
  // The digest becomes a file name.
  if (!(digest.algorithm === 'sha256' ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(digest.hex)) {
    throw new DownloadError({
      url,
      expected: `a digest for ${path}`,
      received: JSON.stringify(digest.hex.slice(0, 100)),
    });
  }
  return { path, size: lfs?.size ?? size, digest };
}

function leadsElsewhere(path: string): boolean {
  return /^\/|\\|\p{Cc}|^[a-z]:|(?:^|\/)\.{0,2}(?:\/|$)/iu.test(path);
}

/** Hints and what comes with them, configs, tokenizer and safetensors of the pipeline's folders: no pictures, no other weight formats. */
function isNeeded(path: string): boolean {
  return /^(?:(?:model_index|vibe_edit)\.json|(?:out_of_scope|prototypes)\.safetensors|(?:scheduler|text_encoder|tokenizer|transformer|vae)\/[^/]+\.(?:json|jinja|txt|safetensors))$/.test(
    path,
  );
}

function selectFiles(files: readonly HubFile[], url: string): HubFile[] {
  const paths = new Set(files.map(({ path }) => path));
  if (!paths.has('model_index.json') || paths.size !== files.length) {
    throw new DownloadError({
      url,
      expected: 'a checkpoint with model_index.json, every file listed once',
      received: `${files.length} files that a checkpoint needs`,
    });
  }
  // `model.fp16.safetensors` beside `model.safetensors` is the same weights again in another precision.
  const withPlain = new Set(
    files.filter(({ path }) => variantOf(path) === undefined).map(({ path }) => plainStem(path)),
  );
  return files.filter(({ path }) => variantOf(path) === undefined || !withPlain.has(plainStem(path)));
}

const WEIGHTS = /^(.+\/[^./]+)(?:\.([A-Za-z0-9_]+?))?(?:-\d+-of-\d+)?\.safetensors$/;

function variantOf(path: string): string | undefined {
  return WEIGHTS.exec(path)?.[2];
}

function plainStem(path: string): string {
  return WEIGHTS.exec(path)?.[1]?.replace(/-\d+-of-\d+$/, '') ?? path;
}
