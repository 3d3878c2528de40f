import { createWebhook } from '@vibe-edit/bots/webhook';
import { createMemoryBlobStore, createMemoryQueue } from '@vibe-edit/core';
import { Hono } from 'hono';
import { expect, onTestFinished, test } from 'vitest';
import { json, startServer } from './webhook-fixture.js';

async function mounted(path: string) {
  const blobs = createMemoryBlobStore();
  const queue = createMemoryQueue({ blobs });
  const webhook = await createWebhook({ queue, blobs, model: { id: 'x' }, auth: { local: true } });
  onTestFinished(async () => {
    await webhook.close();
    await queue.close();
  });
  const app = new Hono();
  app.get('/', (c) => c.text('home'));
  app.route(path, webhook.app);
  app.get('/v1/own', (c) => c.text('own'));
  return app;
}

test.each(['/', '/pictures', '/a/b'])(
  'mounted at %s its links lead to it, and the application’s own routes stay its own',
  async (path) => {
    const app = await mounted(path);
    const prefix = path === '/' ? '' : path;
    const accepted = await app.request(`http://localhost${prefix}/v1/jobs`, json({ instruction: 'a boat' }));
    expect(accepted.status).toBe(202);
    const { id, links } = await accepted.json();
    expect(accepted.headers.get('location')).toBe(`${prefix}/v1/jobs/${id}`);
    expect(links.self).toBe(`${prefix}/v1/jobs/${id}`);
    expect((await app.request(`http://localhost${links.self}`)).status).toBe(200);
    const document = await (await app.request(`http://localhost${prefix}/openapi.json`)).json();
    expect(document.servers).toEqual([{ url: prefix || '/' }]);
    expect(await (await app.request('http://evil.example/')).text()).toBe('home');
    const own = await app.request('http://evil.example/v1/own');
    expect([await own.text(), own.headers.get('x-request-id')]).toEqual(['own', null]);
    const wrong = await app.request(`http://localhost${prefix}/v1/jobs`, json({}));
    expect([wrong.status, (await wrong.json()).error.param]).toEqual([400, 'instruction']);
  },
);

test('the description names every route, and no other', async () => {
  const server = await startServer({ worker: false, callbacks: { secret: 'a secret that is long enough' } });
  const document = await (await server.request('/openapi.json')).json();
  expect(document.openapi).toBe('3.1.0');
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods as object).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const served = server.webhook.app.routes
    .filter(({ method }) => method !== 'ALL')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}')}`);
  expect([...new Set(served)].sort()).toEqual(described.sort());
  const references = JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g);
  for (const [, name] of references) expect(document.components.schemas).toHaveProperty([name as string]);
});

test('the page needs nothing from elsewhere and runs no script', async () => {
  const server = await startServer({ worker: false });
  const response = await server.request('/docs');
  const page = await response.text();
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page).not.toMatch(/<script|https?:\/\/|src=|@import|url\(/);
  for (const text of ['/v1/jobs/{id}/events', 'image_guidance_scale', 'idempotency', 'Bearer']) {
    expect(page.toLowerCase()).toContain(text.toLowerCase());
  }
});

test('metrics count requests and jobs', async () => {
  const server = await startServer({ worker: false });
  await server.request('/v1/jobs', json({ instruction: 'a boat' }));
  await server.request('/v1/jobs/unknown');
  const text = await (await server.request('/metrics')).text();
  expect(text).toContain('vibe_edit_jobs{state="queued"} 1');
  expect(text).toContain(
    'vibe_edit_http_request_duration_seconds_count{method="GET",route="/v1/jobs/:id",status="404"} 1',
  );
  const off = await startServer({ worker: false, metrics: 'off' });
  expect((await off.request('/metrics')).status).toBe(404);
});
