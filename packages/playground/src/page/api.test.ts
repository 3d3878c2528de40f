import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { type Api, ApiFailure, createApi } from './api.js';
import type { JobEvent } from './job-view.js';

/** The API of a server that answers like this. */
async function apiOf(listener: RequestListener): Promise<Api> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  return createApi({ base, key: () => 'secret', retryDelay: 1 });
}

const never = new AbortController().signal;

test('a picture is asked for again while the server is away, breaks off or is in trouble', async () => {
  let calls = 0;
  const api = await apiOf((_, response) => {
    calls += 1;
    if (calls <= 3) return response.destroy();
    if (calls <= 6) return response.writeHead(503).end();
    if (calls === 7) return response.writeHead(200, { 'content-length': 9 }).write('par', () => response.destroy());
    return response.end('picture');
  });
  expect(await (await api.result('a', never)).text()).toBe('picture');
  expect(calls).toBe(8);
});

test('what asking again does not change ends at once, and what never answers in the end', async () => {
  let calls = 0;
  const refusing = await apiOf((_, response) => {
    calls += 1;
    response.writeHead(404).end('{"error":{"code":"unknown_job","message":"No job has this id"}}');
  });
  await expect(refusing.result('a', never)).rejects.toMatchObject({ status: 404, code: 'unknown_job' });
  expect(calls).toBe(1);
  const away = await apiOf((_, response) => void response.destroy());
  await expect(away.result('a', never)).rejects.toThrow(ApiFailure);
  await expect(away.events('a', never).next()).rejects.toThrow('cannot be reached');
});

test('events go on behind the last one that came', async () => {
  const asked: unknown[] = [];
  const api = await apiOf((request, response) => {
    asked.push(request.headers['last-event-id']);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    if (asked.length === 1) response.write('event: running\nid: 2\ndata: {"attempt":1}\n\n', () => response.destroy());
    else response.end('event: finished\nid: 3\ndata: {"job":{}}\n\n');
  });
  const events: JobEvent[] = [];
  for await (const event of api.events('a', never)) events.push(event);
  expect(events.map(({ type }) => type)).toEqual(['running', 'finished']);
  expect(asked).toEqual(['0', '2']);
});
