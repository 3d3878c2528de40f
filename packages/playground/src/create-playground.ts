import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * Answers a request for the page or one of its files. The page is any path that ends in `/`, its files lie below `playground/` beside
 * it; whatever else is asked for is a 404. Where the page is reached without its last slash it redirects to it.
 */
export type Playground = (request: Request) => Response;

interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly mediaType: string;
  readonly etag: string;
}

const MEDIA_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const HEADERS = {
  // Nothing from elsewhere, nothing inline; pictures that the page itself made.
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'permissions-policy': 'camera=(self), microphone=(), geolocation=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  // Checked each time, by its ETag: files keep their names when the package changes.
  'cache-control': 'no-cache',
};

/**
 * Reads the page's files and gives what answers requests for them: a function of Fetch's Request and Response, for any server. The page
 * calls the API under `v1/` beside itself.
 *
 * @example
 * ```ts
 * const page = await createPlayground();
 * const answer = page(new Request('http://localhost:8080/'));
 * ```
 */
export async function createPlayground(): Promise<Playground> {
  const files = await readFiles();
  return (request) => {
    const { pathname } = new URL(request.url);
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refusal(405, 'method_not_allowed', `Expected GET but received ${request.method}`, { allow: 'GET, HEAD' });
    }
    const asset = /\/playground\/([\w./-]+)$/.exec(pathname)?.[1];
    if (asset === undefined && !pathname.endsWith('/')) {
      return new Response(null, { status: 308, headers: { ...HEADERS, location: `${pathname.split('/').at(-1)}/` } });
    }
    const file = files.get(asset ?? 'index.html');
    if (file === undefined) return refusal(404, 'not_found', 'Nothing is here');
    const headers = { ...HEADERS, 'content-type': file.mediaType, etag: file.etag };
    if (request.headers.get('if-none-match') === file.etag) return new Response(null, { status: 304, headers });
    return new Response(request.method === 'HEAD' ? null : file.body, { headers });
  };
}

/** An error in the form that the API beside the page gives them. */
function refusal(
  status: number,
  code: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const type = status === 404 ? 'not_found_error' : 'invalid_request_error';
  return Response.json(
    { error: { message, type, param: null, code } },
    { status, headers: { ...HEADERS, ...headers } },
  );
}

async function readFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>();
  for (const folder of ['../static/', './page/']) {
    const root = fileURLToPath(new URL(folder, import.meta.url));
    for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
      const mediaType = MEDIA_TYPES[extname(entry.name)];
      if (!entry.isFile() || mediaType === undefined) continue;
      const file = join(entry.parentPath, entry.name);
      const body = Uint8Array.from(await readFile(file));
      const etag = `"${createHash('sha256').update(body).digest('base64url').slice(0, 24)}"`;
      files.set(relative(root, file).split(sep).join('/'), { body, mediaType, etag });
    }
  }
  return files;
}
