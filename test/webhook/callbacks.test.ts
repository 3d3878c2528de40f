import type { LookupFunction } from 'node:net';
import { createApiKey } from '@vibe-edit/bots/webhook';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { type Received, startReceiver } from './callback-receiver.js';
import { eventually, json, picture, startServer, type TestServer } from './webhook-fixture.js';

const SECRET = 'a secret of the server that is long enough';
const ALLOWED = { allowedAddresses: ['127.0.0.1/32'] };

const callbacks = { secret: SECRET, pollSeconds: 0.02, retrySeconds: [0.05, 0.05, 0.05] };

async function submit(server: TestServer, callback_url: string, options: { key?: string } = {}) {
  const image = (await picture()).toString('base64');
  const body = json({ instruction: 'x', image, num_inference_steps: 1, callback_url });
  return await server.request('/v1/jobs', { ...body, ...options });
}

test('a finished job is reported, and the caller’s library verifies the signature', async () => {
  const { key, record } = createApiKey({ name: 'alice' });
  const server = await startServer({
    auth: { keys: [record] },
    callbacks,
    fetch: ALLOWED,
    publicUrl: 'https://edits.example/api',
  });
  const { received, url } = await startReceiver([[204]]);
  const { id } = await (await submit(server, url, { key })).json();
  await eventually(() => received.length).toBe(1);
  const [{ headers, body }] = received as [Received];
  const { secret } = await (await server.request('/v1/callback-secret', { key })).json();
  expect(secret).toBe(server.webhook.callbackSecret('alice'));
  const message = new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, never>;
  expect(message).toMatchObject({
    type: 'job.succeeded',
    data: { id, state: 'succeeded', result: { images: [{ url: `https://edits.example/api/v1/jobs/${id}/result/0` }] } },
  });
  expect(headers['webhook-id']).toBe(`msg_${id}`);
  const others = server.webhook.callbackSecret('mallory') as string;
  expect(() => new Webhook(others).verify(body, headers as Record<string, string>)).toThrow();
  expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
});

test('what is not confirmed comes again with the same id and body, and no further than the plan', async () => {
  const server = await startServer({ callbacks, fetch: ALLOWED });
  const flaky = await startReceiver([[500], [302, { location: 'http://169.254.169.254/' }], [200]]);
  await submit(server, flaky.url);
  await eventually(() => flaky.received.length).toBe(3);
  expect(new Set(flaky.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
  expect(new Set(flaky.received.map(({ body }) => body)).size).toBe(1);
  const dead = await startReceiver([[503]]);
  await submit(server, dead.url);
  await eventually(() => dead.received.length).toBe(4);
  await eventually(() => server.queue.takeDelivery('callback')).toBe(undefined);
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect([flaky.received.length, dead.received.length]).toEqual([3, 4]);
});

test('Retry-After puts the next attempt off, and 410 ends them for this receiver', async () => {
  const server = await startServer({ callbacks, fetch: ALLOWED });
  const busy = await startReceiver([[429, { 'retry-after': '1' }], [200]]);
  await submit(server, busy.url);
  await eventually(() => busy.received.length).toBe(2);
  const [first, second] = busy.received as [Received, Received];
  expect(second.at - first.at).toBeGreaterThanOrEqual(950);
  const gone = await startReceiver([[410]]);
  await submit(server, gone.url);
  await eventually(() => gone.received.length).toBe(1);
  await submit(server, gone.url);
  await eventually(async () => (await server.queue.stats()).states.succeeded).toBe(3);
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(gone.received).toHaveLength(1);
});

test('a cancelled job is reported too', async () => {
  const server = await startServer({ callbacks, fetch: ALLOWED, worker: false });
  const { received, url } = await startReceiver([[200]]);
  const { links } = await (await submit(server, url)).json();
  await server.request(links.self, { method: 'DELETE' });
  await eventually(() => received.length).toBe(1);
  expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({
    type: 'job.cancelled',
    data: { error: { code: 'aborted' } },
  });
});

test('what one server did not get to, the next one on the queue reports', async () => {
  const { received, url } = await startReceiver([[200]]);
  const server = await startServer({ callbacks, fetch: ALLOWED });
  await server.webhook.close();
  await submit(server, url);
  await eventually(async () => (await server.queue.stats()).states.succeeded).toBe(1);
  expect(received).toHaveLength(0);
  const { createWebhook } = await import('@vibe-edit/bots/webhook');
  const { queue, blobs } = server;
  const next = await createWebhook({
    queue,
    blobs,
    model: { id: 'x' },
    auth: { local: true },
    callbacks,
    fetch: ALLOWED,
  });
  await eventually(() => received.length).toBe(1);
  await next.close();
});

test('a receiver whose name is not found for a while hears all the same', async () => {
  const { received, url } = await startReceiver([[204]]);
  let lookups = 0;
  const lookup = ((name, _options, callback) => {
    lookups += 1;
    if (lookups > 2) callback(null, [{ address: '127.0.0.1', family: 4 }]);
    else callback(Object.assign(new Error(`getaddrinfo EAI_AGAIN ${name}`), { code: 'EAI_AGAIN' }), []);
  }) as LookupFunction;
  const server = await startServer({ callbacks, fetch: { ...ALLOWED, lookup }, worker: false });
  const { links } = await (await submit(server, url.replace('127.0.0.1', 'receiver.example'))).json();
  await server.request(links.self, { method: 'DELETE' });
  await eventually(() => received.length).toBe(1);
  expect(lookups).toBe(3);
});

test('URLs that lead inside are refused at once, and callbacks without a secret', async () => {
  const server = await startServer({ callbacks, worker: false });
  for (const url of ['http://127.0.0.1/', 'http://[::1]/', 'http://2130706433/', 'ftp://example.com/', 'nonsense']) {
    const refused = await submit(server, url);
    expect([url, refused.status]).toEqual([url, 400]);
  }
  const silent = await startServer({ worker: false });
  expect((await (await submit(silent, 'https://example.com/')).json()).error.code).toBe('callbacks_off');
});
