import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createApiKey } from '@vibe-edit/bots/webhook';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  eventually,
  file,
  form,
  gate,
  json,
  picture,
  readEvents,
  startServer,
  waitForState,
} from './webhook-fixture.js';

const STEPS = { num_inference_steps: 2 };

describe('a job from its submission to its result', () => {
  test('as a form', async () => {
    const server = await startServer();
    const body = form({
      image: file(await picture()),
      instruction: 'make it warmer',
      num_inference_steps: '2',
      seed: '7',
    });
    const accepted = await server.request('/v1/jobs', { method: 'POST', body });
    expect(accepted.status).toBe(202);
    const location = accepted.headers.get('location') as string;
    const submitted = await accepted.json();
    expect(location).toBe(`/v1/jobs/${submitted.id}`);
    expect(submitted).toMatchObject({ object: 'job', kind: 'edit', instruction: 'make it warmer', result: null });

    const job = await waitForState(server, location);
    expect(job).toMatchObject({ state: 'succeeded', error: null, result: { seed: 7 } });
    expect(job.result.images).toMatchObject([{ width: 64, height: 48, media_type: 'image/png' }]);

    const result = await server.request(job.links.result);
    expect(result.headers.get('content-type')).toBe('image/png');
    const bytes = new Uint8Array(await result.arrayBuffer());
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(job.result.images[0].sha256);
    const { width, height } = await sharp(bytes).metadata();
    expect([width, height]).toEqual([64, 48]);
    const etag = result.headers.get('etag') as string;
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await server.request(job.links.result, { headers: { 'if-none-match': known } });
      expect(again.status).toBe(304);
    }
    const part = async (headers: Record<string, string>) => {
      const answer = await server.request(job.links.result, { headers });
      return [answer.status, answer.headers.get('content-range'), Buffer.from(await answer.arrayBuffer())];
    };
    const { length } = bytes;
    const tail = [206, `bytes 10-${length - 1}/${length}`, Buffer.from(bytes.subarray(10))];
    expect(await part({ range: 'bytes=10-' })).toEqual(tail);
    expect(await part({ range: 'bytes=10-', 'if-range': etag })).toEqual(tail);
    expect(await part({ range: 'bytes=10-', 'if-range': '"other"' })).toEqual([200, null, Buffer.from(bytes)]);
    const outside = await server.request(job.links.result, { headers: { range: `bytes=${length}-` } });
    expect([outside.status, outside.headers.get('content-range')]).toEqual([416, `bytes */${length}`]);
    expect(outside.headers.get('cache-control')).toBe(null);
    expect((await outside.json()).error.code).toBe('range_not_satisfiable');
    const other = await server.request(job.links.result, { method: 'HEAD', headers: { 'if-none-match': '"other"' } });
    expect([other.status, other.headers.get('content-length')]).toEqual([200, String(bytes.length)]);
  });

  test('as JSON with base64, and as a data URL, give the same picture as the form', async () => {
    const server = await startServer();
    const bytes = await picture();
    const base64 = bytes.toString('base64');
    const hashes = [];
    for (const image of [base64, `data:image/png;base64,${base64}`]) {
      const accepted = await server.request('/v1/jobs', json({ instruction: 'x', image, ...STEPS }));
      const job = await waitForState(server, accepted.headers.get('location') as string);
      hashes.push(job.result.images[0].sha256);
    }
    const body = form({ image: file(bytes), instruction: 'x', num_inference_steps: '2' });
    const accepted = await server.request('/v1/jobs', { method: 'POST', body });
    const job = await waitForState(server, accepted.headers.get('location') as string);
    expect(new Set([...hashes, job.result.images[0].sha256]).size).toBe(1);
  });

  test('as JSON with a URL that the server fetches', async () => {
    const bytes = await picture({ width: 80 });
    const origin = createServer((_, response) => response.end(bytes));
    await new Promise<void>((resolve) => origin.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void origin.close());
    const image_url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}/photo.png`;
    const allowed = await startServer({ fetch: { allowedAddresses: ['127.0.0.1/32'] } });
    const accepted = await allowed.request('/v1/jobs', json({ instruction: 'x', image_url, ...STEPS }));
    const job = await waitForState(allowed, accepted.headers.get('location') as string);
    expect(job.result.images[0].width).toBe(80);

    const refusing = await startServer();
    const refused = await refusing.request('/v1/jobs', json({ instruction: 'x', image_url }));
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { type: 'invalid_request_error', code: 'invalid_argument' } });
  });

  test('several instructions and pictures each: all of the first instruction first', async () => {
    const server = await startServer();
    const body = form({
      image: file(await picture()),
      instruction: ['warmer', 'cooler'],
      num_images: '2',
      num_inference_steps: '1',
      output_format: 'webp',
    });
    const accepted = await server.request('/v1/jobs', { method: 'POST', body });
    const job = await waitForState(server, accepted.headers.get('location') as string);
    expect(job.result.images.map(({ instruction }: { instruction: string }) => instruction)).toEqual([
      'warmer',
      'warmer',
      'cooler',
      'cooler',
    ]);
    for (const { url } of job.result.images) {
      expect((await server.request(url)).headers.get('content-type')).toBe('image/webp');
    }
    expect((await server.request(`${job.links.result}/4`)).status).toBe(404);
  });

  test('text-to-image needs no picture', async () => {
    const server = await startServer();
    const accepted = await server.request('/v1/jobs', json({ instruction: 'a boat', size: '70x50', ...STEPS }));
    const job = await waitForState(server, accepted.headers.get('location') as string);
    expect(job).toMatchObject({ kind: 'generate', result: { images: [{ width: 70, height: 50 }] } });
  });

  test('a mask keeps what it covers, bit by bit', async () => {
    const server = await startServer();
    const source = await picture();
    const mask = await sharp({ create: { width: 64, height: 48, channels: 3, background: 'black' } })
      .composite([{ input: { create: { width: 32, height: 48, channels: 3, background: 'white' } }, left: 0, top: 0 }])
      .png()
      .toBuffer();
    const body = form({ image: file(source), mask: file(mask), instruction: 'x', num_inference_steps: '2' });
    const accepted = await server.request('/v1/jobs', { method: 'POST', body });
    const job = await waitForState(server, accepted.headers.get('location') as string);
    const result = Buffer.from(await (await server.request(job.links.result)).arrayBuffer());
    const right = (bytes: Buffer) =>
      sharp(bytes).extract({ left: 32, top: 0, width: 32, height: 48 }).removeAlpha().raw().toBuffer();
    expect(await right(result)).toEqual(await right(source));
  });

  test('the next job goes on from a result, and the tree shows it', async () => {
    const server = await startServer();
    const submit = async (body: object) => {
      const accepted = await server.request('/v1/jobs', json({ instruction: 'x', ...STEPS, ...body }));
      return await waitForState(server, accepted.headers.get('location') as string);
    };
    const first = await submit({ image: (await picture()).toString('base64') });
    const second = await submit({ image_job: first.id, output_format: 'jpeg' });
    expect(second).toMatchObject({ state: 'succeeded', parent: first.id, kind: 'edit' });
    const children = await (await server.request(`/v1/jobs?parent=${first.id}`)).json();
    expect(children.data.map(({ id }: { id: string }) => id)).toEqual([second.id]);
    const all = await (await server.request('/v1/jobs?limit=1')).json();
    expect([all.data[0].id, all.has_more]).toEqual([second.id, true]);

    const thin = await submit({ size: '2010x10' });
    const refused = await server.request('/v1/jobs', json({ instruction: 'x', image_job: thin.id }));
    expect([refused.status, (await refused.json()).error]).toEqual([
      400,
      expect.objectContaining({ code: 'invalid_image', param: 'image_job' }),
    ]);
  });
});

describe('events', () => {
  test('come with numbers, previews and the finished job, and a reader goes on where it stopped', async () => {
    const server = await startServer();
    const image = (await picture()).toString('base64');
    const accepted = await server.request(
      '/v1/jobs',
      json({ instruction: 'x', image, num_inference_steps: 3, previews: true }),
    );
    const { links } = await accepted.json();
    const events = [];
    for await (const event of readEvents(await server.request(links.events))) events.push(event);
    const types = events.map(({ event }) => event);
    expect(types[0]).toBe('queued');
    expect(types.at(-1)).toBe('finished');
    expect(types.filter((type) => type === 'preview')).toHaveLength(3);
    expect(events.at(-1)?.data).toMatchObject({ job: { state: 'succeeded' } });
    const preview = events.find(({ event }) => event === 'preview')?.data as {
      preview: { b64_json: string; width: number };
    };
    expect((await sharp(Buffer.from(preview.preview.b64_json, 'base64')).metadata()).width).toBe(preview.preview.width);
    const ids = events.flatMap(({ id }) => (id === undefined ? [] : [Number(id)]));
    expect(ids).toEqual([...ids].sort((a, b) => a - b));

    const half = String(ids[Math.floor(ids.length / 2)]);
    const rest = [];
    for await (const event of readEvents(await server.request(links.events, { headers: { 'last-event-id': half } }))) {
      rest.push(event.id);
    }
    expect(rest).toEqual(ids.filter((id) => id > Number(half)).map(String));
    const seen = await server.request(links.events, { headers: { 'last-event-id': String(ids.at(-1)) } });
    expect(seen.status).toBe(204);
  });

  test('signs of life come while nothing happens, and a reader who leaves ends nothing', async () => {
    const held = gate();
    const server = await startServer({ before: held.before, limits: { heartbeatSeconds: 0.05, maxStreams: 1 } });
    const image = (await picture()).toString('base64');
    const accepted = await server.request('/v1/jobs', json({ instruction: 'x', image, ...STEPS }));
    const { id, links } = await accepted.json();
    await held.running;
    const leaving = new AbortController();
    const response = await server.request(links.events, { signal: leaving.signal });
    const reader = response.body?.getReader();
    let text = '';
    while (text.split(': still here').length < 3) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    expect((await server.request(links.events)).status).toBe(429);
    leaving.abort();
    await eventually(
      async () => (await server.request(links.events, { signal: AbortSignal.timeout(2000) })).status,
    ).toBe(200);
    held.open();
    expect((await waitForState(server, `/v1/jobs/${id}`)).state).toBe('succeeded');
  });
});

describe('cancelling and forgetting', () => {
  test('a running job stops, a waiting one never starts, and to cancel twice is to cancel', async () => {
    const held = gate();
    const server = await startServer({ before: held.before });
    const image = (await picture()).toString('base64');
    const submit = async () => (await server.request('/v1/jobs', json({ instruction: 'x', image, ...STEPS }))).json();
    const running = await submit();
    const waiting = await submit();
    await held.running;
    const stopped = await server.request(waiting.links.self, { method: 'DELETE' });
    expect([stopped.status, (await stopped.json()).state]).toEqual([200, 'cancelled']);
    const stopping = await server.request(running.links.self, { method: 'DELETE' });
    expect([stopping.status, (await stopping.json()).cancelling]).toEqual([202, true]);
    held.open();
    expect((await waitForState(server, running.links.self)).state).toBe('cancelled');
    expect((await server.request(running.links.result)).status).toBe(409);

    const again = await server.request(running.links.self, { method: 'DELETE' });
    expect([again.status, (await again.json()).state]).toEqual([200, 'cancelled']);
  });

  test('a cancel that comes too late costs no result; a finished job is deleted with its pictures when that is asked for', async () => {
    const server = await startServer();
    const image = (await picture()).toString('base64');
    const accepted = await server.request('/v1/jobs', json({ instruction: 'x', image, ...STEPS }));
    const { id, links } = await waitForState(server, accepted.headers.get('location') as string);
    const late = await server.request(links.self, { method: 'DELETE' });
    expect([late.status, (await late.json()).error]).toEqual([
      409,
      expect.objectContaining({ code: 'job_succeeded', message: expect.stringContaining('?forget=true') }),
    ]);
    expect((await server.request(links.result)).status).toBe(200);
    for (const query of ['forget=yes', 'force=true', 'forget=']) {
      expect((await server.request(`${links.self}?${query}`, { method: 'DELETE' })).status).toBe(400);
    }
    const [result] = (await server.queue.get(id)).result?.images ?? [];
    expect((await server.request(`${links.self}?forget=true`, { method: 'DELETE' })).status).toBe(204);
    expect((await server.request(links.self)).status).toBe(404);
    await eventually(() => server.blobs.exists(result?.key ?? '')).toBe(false);
  });

  test('a job that is not done is not deleted', async () => {
    const server = await startServer({ worker: false });
    const { links } = await (await server.request('/v1/jobs', json({ instruction: 'a boat' }))).json();
    const refused = await server.request(`${links.self}?forget=true`, { method: 'DELETE' });
    expect([refused.status, (await refused.json()).error.code]).toEqual([409, 'job_not_finished']);
    expect((await (await server.request(links.self)).json()).state).toBe('queued');
  });

  test('a result that is not there yet is a conflict that says when to ask again', async () => {
    const server = await startServer({ worker: false });
    const { links } = await (await server.request('/v1/jobs', json({ instruction: 'a boat' }))).json();
    const early = await server.request(links.result);
    expect([early.status, early.headers.get('retry-after')]).toEqual([409, '1']);
    expect((await early.json()).error.code).toBe('job_not_finished');
  });
});

describe('idempotency keys', () => {
  test('give the first job again, and refuse another request', async () => {
    const server = await startServer({ worker: false });
    const image = (await picture()).toString('base64');
    const key = { 'idempotency-key': 'order-1' };
    const first = await (await server.request('/v1/jobs', json({ instruction: 'x', image }, key))).json();
    const again = await server.request('/v1/jobs', json({ instruction: 'x', image }, key));
    expect([again.status, (await again.json()).id]).toEqual([202, first.id]);
    const other = await server.request('/v1/jobs', json({ instruction: 'y', image }, key));
    expect([other.status, (await other.json()).error.code]).toEqual([422, 'idempotency_conflict']);
    expect(
      (await server.request('/v1/jobs', json({ instruction: 'x', image }, { 'idempotency-key': 'ä' }))).status,
    ).toBe(400);
  });

  test('ten requests at once with one key are one job', async () => {
    const server = await startServer({ worker: false });
    const image = (await picture()).toString('base64');
    const send = () => server.request('/v1/jobs', json({ instruction: 'x', image }, { 'idempotency-key': 'k' }));
    const answers = await Promise.all(Array.from({ length: 10 }, async () => (await send()).json()));
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect((await server.queue.stats()).states.queued).toBe(1);
  });
});

describe('the queue’s limits', () => {
  test('a full queue and a user’s full share say when to come again', async () => {
    const { key: first, record: a } = createApiKey({ name: 'a' });
    const { key: second, record: b } = createApiKey({ name: 'b' });
    const server = await startServer({
      worker: false,
      auth: { keys: [a, b] },
      queueOptions: { maxPerUser: 2, maxQueued: 3 },
    });
    const submit = (key: string) => server.request('/v1/jobs', { ...json({ instruction: 'a boat' }), key });
    expect([(await submit(first)).status, (await submit(first)).status]).toEqual([202, 202]);
    const own = await submit(first);
    expect([own.status, own.headers.get('retry-after'), (await own.json()).error.code]).toEqual([
      429,
      '10',
      'user_limit',
    ]);
    expect((await submit(second)).status).toBe(202);
    const full = await submit(second);
    expect([full.status, (await full.json()).error.code]).toEqual([503, 'queue_full']);
    const view = await (await server.request('/v1/queue', { key: second })).json();
    expect(view).toMatchObject({ queued: 3, running: 0, own: { queued: 1, running: 0 } });
  });
});
