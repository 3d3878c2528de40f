import { setTimeout as sleep } from 'node:timers/promises';
import { AbortedError, throwIfAborted } from '../errors/aborted-error.js';
import { DownloadError } from '../errors/download-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';

const MAX_REDIRECTS = 8;
const MAX_DELAY_MS = 60_000;
/** Statuses that a later try may not get. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 425, 429, 500, 502, 503, 504]);

export interface HubClientOptions {
  /** URL of the hub. Default `https://huggingface.co`. */
  endpoint?: string | undefined;
  token?: string | undefined;
  fetch?: typeof fetch | undefined;
  /** Tries after the first that bring nothing new. Default 5. */
  retries?: number | undefined;
  /** Wait before the first of them, ms; doubled each time. Default 1000. */
  retryDelay?: number | undefined;
  /** A connection that is silent for so long counts as cut, ms. Default 60,000. */
  idleTimeout?: number | undefined;
  signal?: AbortSignal | undefined;
}

/** One try of a request. */
export interface Attempt {
  /** Aborted with the caller's signal, or when the connection falls silent. */
  readonly signal: AbortSignal;
  /** To be called whenever bytes came. */
  alive(): void;
  /** To be called when so much came that the count of failures starts anew. */
  progressed(): void;
}

export interface HubClient {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /**
   * One GET: follows redirects, and gives the token to the hub's own origin only. The body is not read.
   * @throws {DownloadError} for redirects that lead nowhere, and for statuses that no later try will change.
   * @throws {PassingFault} for those that a later try may.
   */
  get(url: string, attempt: Attempt, headers?: Readonly<Record<string, string>>): Promise<Response>;
  /**
   * Runs `work` again, with growing waits, as long as it fails by the connection's or the server's fault.
   * @throws {DownloadError} when that went on for too long.
   * @throws {AbortedError} when the caller's signal is aborted.
   */
  retrying<T>(url: string, work: (attempt: Attempt) => Promise<T>): Promise<T>;
}

/** A failure that may pass: caught by `retrying`, and turned into a `DownloadError` when it does not. */
export class PassingFault extends Error {
  readonly status: number | undefined;
  /** What the server asks to wait, ms. */
  readonly retryAfter: number | undefined;

  constructor(details: { received: string; status?: number; retryAfter?: number | undefined }) {
    super(details.received);
    this.status = details.status;
    this.retryAfter = details.retryAfter;
  }
}

/**
 * A client for the Hugging Face Hub or a mirror of it.
 * @throws {InvalidArgumentError} when the endpoint is no HTTP URL, or the token no header value.
 */
export function createHubClient(options: HubClientOptions): HubClient {
  const { retries = 5, retryDelay = 1000, idleTimeout = 60_000, signal } = options;
  const request = options.fetch ?? globalThis.fetch;
  const hub = parseEndpoint(options.endpoint ?? 'https://huggingface.co');
  const authorization = parseToken(options.token);

  return {
    endpoint: `${hub.origin}${hub.pathname.replace(/\/+$/, '')}`,
    async get(url, attempt, headers = {}) {
      let target = new URL(url);
      for (let hop = 0; hop <= MAX_REDIRECTS; hop++) {
        checkTarget(target, hub, url);
        const own = target.origin === hub.origin && authorization !== undefined ? { authorization } : {};
        const response = await request(target, {
          redirect: 'manual',
          signal: attempt.signal,
          headers: { ...headers, ...own },
        }).catch((error: unknown) => Promise.reject(connectionFault(error)));
        attempt.alive();
        const location = response.headers.get('location');
        if (response.status < 300 || response.status > 399 || location === null) {
          return await checkStatus(response, url);
        }
        await discard(response);
        target = parseLocation(location, target, url);
      }
      throw new DownloadError({
        url: publicUrl(url),
        expected: `at most ${MAX_REDIRECTS} redirects`,
        received: 'more',
      });
    },

    async retrying(url, work) {
      let failures = 0;
      for (;;) {
        throwIfAborted(signal);
        let fault: PassingFault;
        const attempt = startAttempt({
          signal,
          idleTimeout,
          progressed: () => {
            failures = 0;
          },
        });
        try {
          return await work(attempt);
        } catch (error) {
          if (signal?.aborted) throw new AbortedError(signal.reason);
          if (!(error instanceof PassingFault)) throw error;
          fault = error;
        } finally {
          attempt.end();
        }
        failures++;
        if (failures > retries) {
          throw new DownloadError({
            url: publicUrl(url),
            ...(fault.status !== undefined && { status: fault.status }),
            expected: `an answer within ${retries + 1} tries`,
            received: fault.message,
            cause: fault,
          });
        }
        await pause(fault.retryAfter ?? retryDelay * 2 ** (failures - 1) * (0.75 + Math.random() / 2), signal);
      }
    },
  };
}

/** A URL without its query, which may hold a signature. */
export function publicUrl(url: string): string {
  const { origin, pathname } = new URL(url);
  return `${origin}${pathname}`;
}

function startAttempt({
  signal,
  idleTimeout,
  progressed,
}: {
  signal: AbortSignal | undefined;
  idleTimeout: number;
  progressed: () => void;
}): Attempt & { end(): void } {
  const silence = new AbortController();
  const timer = setTimeout(() => {
    silence.abort(new PassingFault({ received: `nothing for ${idleTimeout} ms` }));
  }, idleTimeout);
  return {
    signal: signal === undefined ? silence.signal : AbortSignal.any([signal, silence.signal]),
    alive: () => timer.refresh(),
    progressed,
    end: () => clearTimeout(timer),
  };
}

/** What the connection did wrong, as the HTTP library tells it. */
function connectionFault(error: unknown): PassingFault {
  if (error instanceof PassingFault) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? ` (${error.cause.message})` : '';
  return new PassingFault({ received: `${error instanceof Error ? error.message : String(error)}${cause}` });
}

/**
 * The bytes of an answer as they come.
 * @throws {PassingFault} when the connection breaks.
 */
export async function* readBody(response: Response, attempt: Attempt): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (reader === undefined) return;
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => Promise.reject(connectionFault(error)));
      if (done) return;
      attempt.alive();
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

/** Gives up an answer's body. That it may be broken does not matter any more. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined);
}

async function checkStatus(response: Response, url: string): Promise<Response> {
  const { status } = response;
  if (response.ok || status === 416) return response;
  await discard(response);
  if (PASSING_STATUSES.has(status)) {
    throw new PassingFault({
      received: `status ${status}`,
      status,
      retryAfter: parseRetryAfter(response.headers.get('retry-after')),
    });
  }
  const hints: Readonly<Record<number, string>> = {
    401: 'Set HF_TOKEN to a token that may read the repository; a name that does not exist is answered so too',
    403: 'The token may not read it, or its licence was not accepted on the website',
    404: 'Check the names of owner, repository and revision',
  };
  const hint = hints[status];
  throw new DownloadError({
    url: publicUrl(url),
    status,
    expected: 'status 200',
    received: `status ${status}`,
    ...(hint !== undefined && { hint }),
  });
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function parseRetryAfter(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), MAX_DELAY_MS) : undefined;
}

async function pause(wait: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(Math.min(wait, MAX_DELAY_MS), undefined, signal === undefined ? {} : { signal });
  } catch {
    throwIfAborted(signal);
  }
}

function checkTarget(target: URL, hub: URL, url: string): void {
  // A hub over TLS may not send us to a place without.
  if (target.protocol !== 'https:' && (target.protocol !== 'http:' || hub.protocol === 'https:')) {
    throw new DownloadError({
      url: publicUrl(url),
      expected: `a redirect to ${hub.protocol} URLs`,
      received: target.protocol,
    });
  }
}

function parseLocation(location: string, base: URL, url: string): URL {
  if (!URL.canParse(location, base.href)) {
    throw new DownloadError({ url: publicUrl(url), expected: 'a redirect to a URL', received: 'something else' });
  }
  return new URL(location, base);
}

function parseEndpoint(endpoint: string): URL {
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new InvalidArgumentError({
      argument: 'endpoint',
      expected: 'an http: or https: URL without user and password',
      received: url === undefined ? JSON.stringify(endpoint) : `${url.protocol}//${url.host}${url.pathname}`,
    });
  }
  return url;
}

function parseToken(token: string | undefined): string | undefined {
  const text = token?.trim();
  if (text === undefined || text === '') return undefined;
  // Checked here, since an error of the HTTP library would quote the token.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw new InvalidArgumentError({ argument: 'token', expected: 'printable ASCII', received: 'other characters' });
  }
  return `Bearer ${text}`;
}
