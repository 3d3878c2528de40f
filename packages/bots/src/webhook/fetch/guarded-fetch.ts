import type { LookupFunction } from 'node:net';
import { AbortedError, DownloadError, InvalidArgumentError, throwIfAborted, VibeError } from '@vibe-edit/core';
import { Agent, fetch, type Response } from 'undici';
import { createGuardedConnector, type HostRefusal, refusedAddress } from './guarded-connector.js';
import { createAddressRule } from './public-address.js';

export interface GuardedFetchOptions {
  /** Address ranges to let through although they are not public, e.g. `10.1.0.0/16`. Default: none. */
  allowedAddresses?: readonly string[];
  /** Most seconds for a download, redirects included. Default 30. */
  timeoutSeconds?: number;
  /** Redirects that a download follows; each is checked as the first URL. Default 3. */
  maxRedirects?: number;
  /** Looks names up, as `dns.lookup` does. Default: the system. */
  lookup?: LookupFunction;
  /** Hears why a host name was refused; the error does not tell whether it is known. Default: nobody. */
  onRefusedHost?: (refusal: HostRefusal) => void;
}

export interface DownloadedFile {
  readonly bytes: Uint8Array;
  /** As the server names it; not to be trusted. */
  readonly mediaType: string | undefined;
}

/** Talks to URLs that strangers gave, and to nothing that is not on the public internet. */
export interface GuardedFetch {
  /**
   * Checks a URL without connecting: scheme, credentials, literal addresses.
   * @throws {InvalidArgumentError}
   */
  check(url: string): URL;
  /**
   * @throws {InvalidArgumentError} when the URL, or one that it redirects to, is refused, or its host name is not found.
   * @throws {DownloadError} when the server fails, is too slow, or sends more than `maxBytes`.
   * @throws {AbortedError}
   */
  download(url: string, options: { maxBytes: number; signal?: AbortSignal }): Promise<DownloadedFile>;
  /**
   * Sends a body; follows no redirect, reads no more of the answer than its head.
   * Throws as `download` does, but an answer of any status is an answer.
   */
  post(
    url: string,
    options: { body: string; headers: Readonly<Record<string, string>>; timeoutSeconds: number; signal?: AbortSignal },
  ): Promise<{ status: number; retryAfter: string | undefined }>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

const CONNECT_SECONDS = 10;
const MAX_URL_LENGTH = 2048;
const MAX_HEADER_BYTES = 16 * 1024;
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/**
 * Makes the only way on which this server asks for URLs that callers name. Every connection, that of each redirect included, goes to an
 * address that was checked when it was opened. No proxy of the environment is used.
 *
 * @example
 * ```ts
 * const guarded = createGuardedFetch({ timeoutSeconds: 10 });
 * const { bytes } = await guarded.download('https://example.com/photo.jpg', { maxBytes: 10_000_000 });
 * await guarded.close();
 * ```
 */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const { timeoutSeconds = 30, maxRedirects = 3, allowedAddresses, lookup, onRefusedHost } = options;
  const rule = createAddressRule(allowedAddresses === undefined ? {} : { allowed: allowedAddresses });
  const dispatcher = new Agent({
    connect: createGuardedConnector({
      rule,
      connectSeconds: CONNECT_SECONDS,
      ...(lookup !== undefined && { lookup }),
      ...(onRefusedHost !== undefined && { onRefusedHost }),
    }),
    maxHeaderSize: MAX_HEADER_BYTES,
  });

  const check = (text: string): URL => {
    const refuse = (received: string): never => {
      throw new InvalidArgumentError({ argument: 'url', expected: 'an http or https URL', received });
    };
    if (text.length > MAX_URL_LENGTH) return refuse(`one of ${text.length} characters, over ${MAX_URL_LENGTH}`);
    if (!URL.canParse(text)) return refuse('text that is no URL');
    const url = new URL(text);
    if (url.protocol !== 'https:' && url.protocol !== 'http:') return refuse(`one that begins with ${url.protocol}`);
    if (url.username !== '' || url.password !== '') return refuse('one with a user name or password');
    const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
    const literal = url.hostname.startsWith('[') || /^[\d.]+$/.test(host);
    const range = literal ? rule.refusal(host) : undefined;
    if (range !== undefined) throw refusedAddress(range);
    return url;
  };

  /** Runs a request under its deadline and turns what goes wrong into errors of ours. */
  const guarded = async <Result>(
    url: URL,
    limits: { seconds: number; signal: AbortSignal | undefined },
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> => {
    throwIfAborted(limits.signal);
    const deadline = AbortSignal.timeout(limits.seconds * 1000);
    const signal = limits.signal === undefined ? deadline : AbortSignal.any([limits.signal, deadline]);
    try {
      return await work(signal);
    } catch (error) {
      if (limits.signal?.aborted) throw new AbortedError(limits.signal.reason);
      if (deadline.aborted) throw failed(url, `an answer within ${limits.seconds} seconds`, 'none', error);
      throw known(error) ?? failed(url, 'an answer', reasonOf(error), error);
    }
  };

  return {
    check,
    download(text, { maxBytes, signal: outer }) {
      const first = check(text);
      return guarded(first, { seconds: timeoutSeconds, signal: outer }, async (signal) => {
        let url = first;
        for (let redirects = 0; ; redirects++) {
          const headers = { accept: 'image/*,*/*;q=0.5', 'accept-encoding': 'identity' };
          const response = await fetch(url.href, { dispatcher, redirect: 'manual', signal, headers });
          const location = REDIRECTS.has(response.status) ? response.headers.get('location') : null;
          if (location === null) return await readFile(url, response, maxBytes);
          await response.body?.cancel();
          if (redirects >= maxRedirects) throw failed(first, `at most ${maxRedirects} redirects`, 'one more');
          url = check(URL.canParse(location, url.href) ? new URL(location, url.href).href : location);
        }
      });
    },
    post(text, { body, headers, timeoutSeconds: seconds, signal: outer }) {
      const url = check(text);
      return guarded(url, { seconds, signal: outer }, async (signal) => {
        const response = await fetch(url.href, {
          dispatcher,
          method: 'POST',
          redirect: 'manual',
          signal,
          headers,
          body,
        });
        await response.body?.cancel();
        return { status: response.status, retryAfter: response.headers.get('retry-after') ?? undefined };
      });
    },
    close: () => dispatcher.destroy(),
  };
}

async function readFile(url: URL, response: Response, maxBytes: number): Promise<DownloadedFile> {
  if (!response.ok) {
    await response.body?.cancel();
    throw failed(url, 'a file', `status ${response.status}`, undefined, response.status);
  }
  const chunks: Uint8Array[] = [];
  let length = Number(response.headers.get('content-length') ?? 0);
  const limit = (): void => {
    if (length > maxBytes) throw failed(url, `at most ${maxBytes} bytes`, 'more');
  };
  limit();
  length = 0;
  // Leaving the loop by an error cancels the body.
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    limit();
    chunks.push(chunk);
  }
  return { bytes: Buffer.concat(chunks), mediaType: response.headers.get('content-type') ?? undefined };
}

function failed(url: URL, expected: string, received: string, cause?: unknown, status?: number): DownloadError {
  const place = `${url.origin}${url.pathname}`;
  return new DownloadError({ url: place, expected, received, cause, ...(status !== undefined && { status }) });
}

/** An error of ours inside what undici wraps it in. */
function known(error: unknown): VibeError | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) if (at instanceof VibeError) return at;
  return undefined;
}

/** The innermost code, e.g. `ENOTFOUND`. */
function reasonOf(error: unknown): string {
  let reason = 'a failed connection';
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('code' in at && typeof at.code === 'string') reason = `a failed connection (${at.code})`;
  }
  return reason;
}
