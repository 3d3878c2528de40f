import { createApiKey } from '@vibe-edit/bots/webhook';
import { describe, expect, test } from 'vitest';
import { eventually, gate, json, picture, startServer, waitForState } from './webhook-fixture.js';

describe('API keys', () => {
  test('a job and its pictures are there for the key that made it, and for nobody else', async () => {
    const alice = createApiKey({ name: 'alice' });
    const mallory = createApiKey({ name: 'mallory' });
    const server = await startServer({ auth: { keys: [alice.record, mallory.record] } });
    const image = (await picture()).toString('base64');
    const body = { instruction: 'x', image, num_inference_steps: 1 };
    const submitted = await (await server.request('/v1/jobs', { ...json(body), key: alice.key })).json();
    const job = await waitForState(server, submitted.links.self, { key: alice.key });
    expect(job.state).toBe('succeeded');
    const paths = [job.links.self, job.links.events, job.links.result, job.result.images[0].url];
    for (const path of paths) {
      const refused = await server.request(path, { key: mallory.key });
      const unknown = await server.request(path.replace(job.id, 'f'.repeat(32)), { key: mallory.key });
      expect([refused.status, unknown.status]).toEqual([404, 404]);
      // Nothing tells a job of somebody else from one that never was.
      expect(await refused.text()).toBe(await unknown.text());
      expect((await server.request(path)).status).toBe(401);
    }
    expect((await server.request(job.links.self, { method: 'DELETE', key: mallory.key })).status).toBe(404);
    const reuse = json({ instruction: 'y', image_job: job.id });
    expect((await server.request('/v1/jobs', { ...reuse, key: mallory.key })).status).toBe(404);
    const child = json({ instruction: 'y', image, parent: job.id });
    expect((await server.request('/v1/jobs', { ...child, key: mallory.key })).status).toBe(404);
    const list = await (await server.request('/v1/jobs', { key: mallory.key })).json();
    expect(list.data).toEqual([]);
    expect((await server.request(job.links.result, { key: alice.key })).status).toBe(200);
  });

  test('the same idempotency key of two callers is two jobs', async () => {
    const keys = [createApiKey({ name: 'a' }), createApiKey({ name: 'b' })] as const;
    const server = await startServer({ worker: false, auth: { keys: keys.map(({ record }) => record) } });
    const submit = (key: string) =>
      server.request('/v1/jobs', { ...json({ instruction: 'a boat' }, { 'idempotency-key': 'same' }), key });
    const ids = [];
    for (const { key } of keys) ids.push((await (await submit(key)).json()).id);
    expect(new Set(ids).size).toBe(2);
  });

  test('keys that a function gives come and go', async () => {
    const { key, record } = createApiKey({ name: 'alice' });
    let keys = [record];
    const server = await startServer({ auth: { keys: async () => keys } });
    expect((await server.request('/v1/models', { key })).status).toBe(200);
    keys = [];
    const refused = await server.request('/v1/models', { key });
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
  });

  test('an application’s own sign-in decides', async () => {
    const server = await startServer({
      auth: {
        authenticate: (request) => (request.headers.get('cookie') === 'session=1' ? { name: 'carol' } : undefined),
      },
    });
    expect((await server.request('/v1/models')).status).toBe(401);
    expect((await server.request('/v1/models', { headers: { cookie: 'session=1' } })).status).toBe(200);
  });

  test('what needs none is open, and metrics are not', async () => {
    const { key, record } = createApiKey({ name: 'alice' });
    const server = await startServer({ auth: { keys: [record] } });
    const status = async (path: string, init = {}) => (await server.request(path, init)).status;
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs', '/v1/info'])
      expect(await status(path)).toBe(200);
    for (const path of ['/metrics', '/v1/queue', '/v1/jobs', '/v1/models']) {
      expect([path, await status(path), await status(path, { key })]).toEqual([path, 401, 200]);
    }
  });
});

describe('limits', () => {
  test('of a key are told in headers and kept', async () => {
    const alice = createApiKey({ name: 'alice', limits: { requestsPerMinute: 3, jobsPerHour: 1 } });
    const bob = createApiKey({ name: 'bob' });
    const server = await startServer({ worker: false, auth: { keys: [alice.record, bob.record] } });
    const submit = (key: string) => server.request('/v1/jobs', { ...json({ instruction: 'a boat' }), key });
    const first = await submit(alice.key);
    expect(first.status).toBe(202);
    expect(first.headers.get('ratelimit-policy')).toBe('"requests";q=3;w=60, "jobs";q=1;w=3600');
    expect(first.headers.get('ratelimit')).toMatch(/^"requests";r=2;t=\d+, "jobs";r=0;t=3600$/);
    const jobs = await submit(alice.key);
    expect([jobs.status, (await jobs.json()).error.code]).toEqual([429, 'rate_limit_exceeded']);
    expect(Number(jobs.headers.get('retry-after'))).toBeGreaterThan(3000);
    await server.request('/v1/models', { key: alice.key });
    const requests = await server.request('/v1/models', { key: alice.key });
    expect([requests.status, requests.headers.get('retry-after')]).toEqual([429, '20']);
    expect((await submit(bob.key)).status).toBe(202);
  });
});

describe('browsers', () => {
  test('no site may call unless it is named', async () => {
    const { key, record } = createApiKey({ name: 'alice' });
    const asked = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const closed = await startServer({ auth: { keys: [record] } });
    const plain = await closed.request('/v1/models', { key, headers: asked });
    expect(plain.headers.get('access-control-allow-origin')).toBeNull();

    const open = await startServer({ auth: { keys: [record] }, cors: { origins: ['https://app.example'] } });
    const preflight = await open.request('/v1/jobs', { method: 'OPTIONS', headers: asked });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([
      204,
      'https://app.example',
    ]);
    const named = await open.request('/v1/models', { key, headers: asked });
    expect(named.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(named.headers.get('access-control-expose-headers')).toContain('location');
    const other = await open.request('/v1/models', { key, headers: { origin: 'https://evil.example' } });
    expect(other.headers.get('access-control-allow-origin')).toBeNull();
  });

  test('without keys, pages of other sites and names that were made to point here are refused', async () => {
    const server = await startServer({ worker: false });
    const { port } = new URL(server.url);
    const { app } = server.webhook;
    const send = (url: string, headers: Record<string, string> = {}) =>
      app.request(url, json({ instruction: 'a boat' }, headers));
    expect((await send(`http://localhost:${port}/v1/jobs`)).status).toBe(202);
    expect((await send(`http://localhost:${port}/v1/jobs`, { origin: `http://localhost:${port}` })).status).toBe(202);
    for (const origin of ['https://evil.example', 'null', `http://localhost:${Number(port) + 1}`]) {
      expect((await send(`http://localhost:${port}/v1/jobs`, { origin })).status).toBe(403);
    }
    expect((await send(`http://evil.example:${port}/v1/jobs`)).status).toBe(403);
  });
});

describe('what is logged', () => {
  test('is who did what, without keys, pictures or instructions', async () => {
    const lines: string[] = [];
    const { createWebhookLogger } = await import('@vibe-edit/bots/webhook');
    const logger = await createWebhookLogger({ destination: { write: (line) => void lines.push(line) } });
    const { key, record } = createApiKey({ name: 'alice' });
    const server = await startServer({ auth: { keys: [record] }, logger });
    const image = (await picture()).toString('base64');
    const body = { instruction: 'my private wish', image, num_inference_steps: 1 };
    const { links, id } = await (await server.request('/v1/jobs', { ...json(body), key })).json();
    await waitForState(server, links.self, { key });
    await server.request(`/v1/jobs?token=${key}`, { key });
    const log = lines.join('');
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      method: 'POST',
      route: '/v1/jobs',
      status: 202,
      caller: 'alice',
      job: id,
    });
    for (const secret of ['my private wish', key, image.slice(0, 40)]) expect(log).not.toContain(secret);
  });

  test('holds instructions when that was asked for', async () => {
    const lines: object[] = [];
    const write = (fields: object) => void lines.push(fields);
    const logger = { info: write, warn: write, error: write };
    const server = await startServer({ worker: false, logger, logInstructions: true });
    await server.request('/v1/jobs', json({ instruction: 'a boat' }));
    expect(lines).toContainEqual(expect.objectContaining({ instruction: 'a boat' }));
  });
});

describe('closing', () => {
  test('ends streams, says so to who waits, and leaves the job alone', async () => {
    const held = gate();
    const server = await startServer({ before: held.before });
    const image = (await picture()).toString('base64');
    const { links } = await (
      await server.request('/v1/jobs', json({ instruction: 'x', image, num_inference_steps: 1 }))
    ).json();
    const events = await server.request(links.events);
    const waiting = server.request('/v1/images/generations', json({ prompt: 'a boat', steps: 1 }));
    await eventually(async () => (await server.queue.stats()).states.queued).toBe(1);
    await server.webhook.close();
    await events.text();
    expect((await waiting).status).toBe(503);
    expect((await server.request('/readyz')).status).toBe(503);
    held.open();
    await eventually(async () => (await server.queue.stats()).states.succeeded).toBe(2);
  });
});
