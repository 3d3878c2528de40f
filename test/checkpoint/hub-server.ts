import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A file of the repository that the server has. Large ones lie on a second server, as on the real hub. */
export interface ServedFile {
  bytes: Uint8Array;
  large: boolean;
}

/** What the server does wrong with one request for a file's bytes. */
export interface Fault {
  /** Answers with this status and nothing else. */
  status?: number;
  headers?: Record<string, string>;
  /** Breaks the connection after so many bytes of the body. */
  cutAfter?: number;
  /** Sends headers and the first byte, then nothing more. */
  silent?: boolean;
  /** Sends the whole file whatever range is asked for. */
  ignoreRange?: boolean;
  /** Sends other bytes. */
  bytes?: Uint8Array;
  /** Names another validator from now on. */
  etag?: string;
  /** Sends a range that starts here instead of where it was asked for. */
  rangeStart?: number;
}

export interface LoggedRequest {
  server: 'hub' | 'cdn';
  path: string;
  range: string | undefined;
  ifRange: string | undefined;
  authorization: string | undefined;
}

export interface HubServer {
  readonly endpoint: string;
  readonly repo: string;
  readonly commit: string;
  readonly requests: LoggedRequest[];
  /** Requests for the bytes of a file, on the server that has them. */
  downloads(path: string): LoggedRequest[];
  /** Faults of the next requests for a file, one a request. */
  readonly faults: Map<string, Fault[]>;
  /** Answers to requests of the API before the right ones. */
  readonly apiFaults: { status: number; headers?: Record<string, string>; body?: string }[];
  /** Token without which nothing is given. */
  token: string | undefined;
  /** Entries a page. */
  pageSize: number;
  /** Changes the listing before it is sent. */
  changeListing: (entries: ListingEntry[]) => unknown;
  /** Changes the header that leads to the next page. */
  changeNext: (url: string | undefined) => string | undefined;
  /** Changes where a large file is said to be. */
  changeLocation: (url: string) => string;
  /** Changes what the API says of the revision. */
  changeInfo: (info: Record<string, unknown>) => unknown;
  close(): Promise<void>;
}

export interface ListingEntry {
  type: string;
  path: string;
  size: number;
  oid?: string;
  lfs?: { oid: string; size: number; pointerSize: number };
}

const COMMIT = '0123456789abcdef0123456789abcdef01234567';

/** Starts a hub with one repository, and a server of another origin for its large files. */
export async function startHubServer(files: ReadonlyMap<string, ServedFile>): Promise<HubServer> {
  const repo = 'owner/vibe-model';
  const etags = new Map<string, string>();
  const cdn = createServer((request, response) => {
    log('cdn', request);
    sendFile(decodeURIComponent(pathOf(request).slice(1)), request, response);
  });
  const hub = createServer((request, response) => answer(request, response));
  const cdnOrigin = await listen(cdn);
  const endpoint = await listen(hub);

  const server: HubServer = {
    endpoint,
    repo,
    commit: COMMIT,
    requests: [],
    downloads: (path) =>
      server.requests.filter((request) => {
        const large = files.get(path)?.large === true;
        return (
          request.server === (large ? 'cdn' : 'hub') && request.path.endsWith(path) && !request.path.includes('/api/')
        );
      }),
    faults: new Map(),
    apiFaults: [],
    token: undefined,
    pageSize: 1000,
    changeListing: (entries) => entries,
    changeNext: (url) => url,
    changeLocation: (url) => url,
    changeInfo: (info) => info,
    async close() {
      await Promise.all([shut(hub), shut(cdn)]);
    },
  };

  function log(name: 'hub' | 'cdn', request: IncomingMessage): void {
    const { range, authorization } = request.headers;
    const ifRange = ifRangeOf(request);
    server.requests.push({ server: name, path: decodeURIComponent(pathOf(request)), range, ifRange, authorization });
  }

  function answer(request: IncomingMessage, response: ServerResponse): void {
    log('hub', request);
    const path = decodeURIComponent(pathOf(request));
    if (server.token !== undefined && request.headers.authorization !== `Bearer ${server.token}`) {
      response.writeHead(401).end();
      return;
    }
    if (path.startsWith('/api/')) {
      answerApi(path, new URL(request.url ?? '/', endpoint), response);
      return;
    }
    const file = path.replace(`/${repo}/resolve/${COMMIT}/`, '');
    if (files.get(file)?.large) {
      const location = server.changeLocation(`${cdnOrigin}/${file}?signature=secret`);
      response.writeHead(302, { location, 'x-linked-etag': `"${sha256(files.get(file)!.bytes)}"` }).end();
      return;
    }
    sendFile(file, request, response);
  }

  function answerApi(path: string, url: URL, response: ServerResponse): void {
    const fault = server.apiFaults.shift();
    if (fault !== undefined) {
      response.writeHead(fault.status, fault.headers).end(fault.body);
    } else if (path === `/api/models/${repo}/revision/main` || path === `/api/models/${repo}/revision/${COMMIT}`) {
      sendJson(response, server.changeInfo({ _id: '1', id: repo, sha: COMMIT, lastModified: '2026-01-01T00:00:00Z' }));
    } else if (path === `/api/models/${repo}/tree/${COMMIT}`) {
      const entries = server.changeListing([...files].map(([name, file]) => listingEntry(name, file)));
      if (!Array.isArray(entries)) {
        sendJson(response, entries);
        return;
      }
      const start = Number(url.searchParams.get('cursor') ?? 0);
      const end = start + server.pageSize;
      const own = end < entries.length ? `${endpoint}${path}?recursive=true&cursor=${end}` : undefined;
      const next = server.changeNext(own);
      sendJson(response, entries.slice(start, end), next === undefined ? {} : { link: `<${next}>; rel="next"` });
    } else {
      response.writeHead(404).end();
    }
  }

  function sendFile(name: string, request: IncomingMessage, response: ServerResponse): void {
    const fault = server.faults.get(name)?.shift() ?? {};
    const file = files.get(name);
    if (file === undefined || fault.status !== undefined) {
      response.writeHead(fault.status ?? 404, fault.headers).end();
      return;
    }
    if (fault.etag !== undefined) etags.set(name, fault.etag);
    const etag = etags.get(name) ?? `"${sha256(file.bytes).slice(0, 20)}"`;
    const bytes = fault.bytes ?? file.bytes;
    const asked = /^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1];
    const ifRange = ifRangeOf(request);
    const ranged = asked !== undefined && !fault.ignoreRange && (ifRange === undefined || ifRange === etag);
    const start = ranged ? (fault.rangeStart ?? Number(asked)) : 0;
    if (ranged && start >= bytes.length) {
      response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
      return;
    }
    const body = bytes.subarray(start);
    response.writeHead(ranged ? 206 : 200, {
      etag,
      'content-length': body.length,
      'accept-ranges': 'bytes',
      ...(ranged && { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` }),
    });
    if (fault.cutAfter !== undefined) response.write(body.subarray(0, fault.cutAfter), () => response.destroy());
    else if (fault.silent) response.write(body.subarray(0, 1));
    else response.end(body);
  }

  return server;
}

/** How the hub lists a file: its git id, and the sha256 of a large one. */
export function listingEntry(path: string, { bytes, large }: ServedFile): ListingEntry {
  const oid = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
  const entry = { type: 'file', path, size: bytes.length, oid };
  return large ? { ...entry, lfs: { oid: sha256(bytes), size: bytes.length, pointerSize: 130 } } : entry;
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?')[0]!;
}

/** Node's types do not know this header, and offer a list. */
function ifRangeOf(request: IncomingMessage): string | undefined {
  return request.headers['if-range']?.toString();
}

function sendJson(response: ServerResponse, value: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
}

async function listen(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function shut(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
