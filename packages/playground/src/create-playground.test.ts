import { beforeAll, expect, test } from 'vitest';
// The page's modules are there once the package was built.
import { createPlayground, type Playground } from '../dist/index.js';

let page: Playground;
beforeAll(async () => {
  page = await createPlayground();
});

const get = (path: string, init?: RequestInit): Response => page(new Request(`http://localhost${path}`, init));

test('the page and everything that it loads', async () => {
  const html = await get('/').text();
  const paths = [...html.matchAll(/(?:src|href)="(playground\/[^"]+)"/g)].map(([, path]) => path as string);
  expect(paths).toContain('playground/dom/main.js');
  const pending = [...new Set(paths)];
  const seen = new Set<string>();
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    if (seen.has(path)) continue;
    seen.add(path);
    const response = get(`/${path}`);
    expect(response.status, path).toBe(200);
    if (!path.endsWith('.js')) continue;
    expect(response.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const code = await response.text();
    for (const [, target] of code.matchAll(/^import [^;'"]*'([^']+)'/gm)) {
      expect(target, `${path} imports only its neighbours`).toMatch(/^\.\.?\//);
      pending.push(new URL(target as string, `http://x/${path}`).pathname.slice(1));
    }
  }
  expect(seen.size).toBeGreaterThan(15);
});

test('nothing inline, nothing from elsewhere', async () => {
  const html = await get('/').text();
  expect(html).not.toMatch(/<script(?![^>]* src=)/);
  expect(html).not.toMatch(/ on[a-z]+=| style=|https?:/);
  const policy = get('/').headers.get('content-security-policy');
  expect(policy).toContain("script-src 'self'");
  expect(policy).not.toContain('unsafe');
});

test('files are not sent again when they are the same', () => {
  const etag = get('/').headers.get('etag') as string;
  expect(get('/', { headers: { 'if-none-match': etag } }).status).toBe(304);
});

test('mounted anywhere; other paths, methods and ways out of the folder are refused', async () => {
  expect(get('/edits/').status).toBe(200);
  expect(get('/edits/playground/style.css').status).toBe(200);
  const redirect = get('/edits');
  expect([redirect.status, redirect.headers.get('location')]).toEqual([308, 'edits/']);
  expect(get('/playground/nothing.js').status).toBe(404);
  expect(get('/playground/..%2f..%2fpackage.json').status).not.toBe(200);
  expect(get('/playground/../../package.json').status).not.toBe(200);
  const posted = get('/', { method: 'POST' });
  expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  expect(await posted.json()).toMatchObject({ error: { code: 'method_not_allowed', param: null } });
});
