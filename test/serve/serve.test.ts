import { access, mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import {
  authorization,
  becomes,
  picture,
  resultSize,
  startCommand,
  startServe,
  stateOf,
  submit,
  testFolder,
} from './command.js';

test('edits for HTTP clients and OpenAI’s, and serves the page, its files and the documentation', async () => {
  const cwd = await testFolder();
  const server = await startServe({ cwd });
  const { url } = server;
  const secret = 'an instruction for nobody else';
  const id = await submit(url, { instruction: secret }, { image: await picture(72, 56) });
  await becomes(url, [id], 'succeeded');
  expect(await resultSize(url, id)).toBe('72x56');

  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'none', maxRetries: 0 });
  const image = await toFile(await picture(), 'photo.png', { type: 'image/png' });
  const stream = await client.images.edit({
    image,
    prompt: 'black and white',
    stream: true,
    partial_images: 2,
    ...{ steps: 4 },
  });
  const types: string[] = [];
  for await (const event of stream) {
    types.push(event.type);
    expect(await sharp(Buffer.from(event.b64_json, 'base64')).metadata()).toMatchObject({ width: 64, height: 48 });
  }
  expect(types).toEqual(['image_edit.partial_image', 'image_edit.partial_image', 'image_edit.completed']);
  expect((await client.models.list()).data.map((model) => model.id)).toEqual(['vibe-edit-nano']);

  const page = await (await fetch(`${url}/`)).text();
  const script = /src="(playground\/[^"]+)"/.exec(page)?.[1];
  expect((await fetch(`${url}/${script}`)).headers.get('content-type')).toContain('javascript');
  for (const path of ['/docs', '/openapi.json', '/healthz', '/readyz', '/metrics', '/v1/info']) {
    expect([path, (await fetch(url + path)).status]).toEqual([path, 200]);
  }
  const nowhere = await fetch(`${url}/nowhere`);
  expect(nowhere.status).toBe(404);
  expect(await nowhere.json()).toMatchObject({ error: { type: 'not_found_error' } });

  expect(await server.end('SIGTERM')).toBe(0);
  expect(server.stderr).toBe('');
  expect(server.log.map(({ msg }) => msg)).toEqual(
    expect.arrayContaining(['listening', 'request', 'job succeeded', 'draining', 'ended']),
  );
  expect(server.stdout).not.toContain(secret);
  expect((await readdir(join(cwd, 'vibe-edit-data'))).sort()).toEqual(['callback-secret', 'jobs.db', 'pictures']);
});

test('accepted jobs outlive kill -9', async () => {
  const cwd = await testFolder();
  const first = await startServe({ cwd });
  const ids = [await submit(first.url, { num_inference_steps: '25' })];
  await becomes(first.url, ids, 'running');
  for (let width = 64; width < 96; width += 8) ids.push(await submit(first.url, {}, { image: await picture(width) }));
  expect(await first.end('SIGKILL')).toBe('SIGKILL');
  // As if it had died long ago, between storing a picture and submitting its job.
  const left = join(cwd, 'vibe-edit-data', 'pictures', 'ff', `ff${'0'.repeat(30)}`);
  await mkdir(dirname(left), { recursive: true });
  await writeFile(left, 'left');
  await utimes(left, 1, 1);

  const second = await startServe({ cwd });
  const [running, ...waiting] = ids as [string, ...string[]];
  await becomes(second.url, waiting, 'succeeded');
  expect(await resultSize(second.url, waiting[2] as string)).toBe('80x48');
  // Its turn came again, and it is the same job still.
  await becomes(second.url, [running], 'succeeded');
  expect(await second.end('SIGINT')).toBe(0);
  await expect(access(left)).rejects.toThrow('ENOENT');
});

test('SIGTERM lets the running job finish for whoever waits, takes no more, and keeps what waits or is too late', async () => {
  const cwd = await testFolder();
  // A busy machine is no failure.
  const first = await startServe({ cwd }, '--drain-seconds', '100');
  const running = await submit(first.url, { num_inference_steps: '20' });
  await becomes(first.url, [running], 'running');
  const waiting = await submit(first.url);
  const events = await fetch(`${first.url}/v1/jobs/${running}/events`);
  first.child.kill('SIGTERM');
  await first.logged('draining');
  await expect(fetch(`${first.url}/healthz`)).rejects.toThrow('fetch failed');
  expect(await events.text()).toMatch(/event: finished\n.*\n.*"state":"succeeded"/);
  expect(await first.ended).toBe(0);

  const second = await startServe({ cwd }, '--drain-seconds', '0');
  expect(await stateOf(second.url, running)).toBe('succeeded');
  await becomes(second.url, [waiting], 'succeeded');
  const late = await submit(second.url, { num_inference_steps: '100' });
  await becomes(second.url, [late], 'running');
  expect(await second.end('SIGTERM')).toBe(0);
  expect(second.log.map(({ msg }) => msg)).toContain('job stopped');

  const third = await startServe({ cwd }, '--concurrency', '0');
  expect(await stateOf(third.url, late)).toBe('queued');
});

test('is open to others only with a key, and keys come and go while it runs', async () => {
  const cwd = await testFolder();
  const refused = startCommand(['serve', '--host', '0.0.0.0'], { cwd });
  expect(await refused.ended).toBe(2);
  expect(refused.stderr).toContain('Make one: vibe-edit keys create NAME');

  const create = async (name: string, ...limits: string[]) => {
    const made = startCommand(['keys', 'create', name, ...limits], { cwd });
    expect(await made.ended).toBe(0);
    return made.stdout.trim();
  };
  const alice = await create('alice');
  const server = await startServe({ cwd, environment: { VIBE_HOST: '0.0.0.0', VIBE_CONCURRENCY: '0' } });
  const bob = await create('bob', '--requests-per-minute', '1');
  const status = async (key?: string) => (await fetch(`${server.url}/v1/jobs`, { headers: authorization(key) })).status;
  expect(await status()).toBe(401);
  expect(await status(alice)).toBe(200);
  expect([await status(bob), await status(bob)]).toEqual([200, 429]);
  const id = await submit(server.url, {}, { key: alice });
  const strangers = await fetch(`${server.url}/v1/jobs/${id}`, { headers: authorization(await create('carol')) });
  expect(strangers.status).toBe(404);
  const removed = startCommand(['keys', 'remove', 'alice'], { cwd });
  expect(await removed.ended).toBe(0);
  expect(await status(alice)).toBe(401);
  // The page is there for everybody: it asks for the key.
  expect((await fetch(`${server.url}/`)).status).toBe(200);
  const files = await readdir(join(cwd, 'vibe-edit-data', 'keys'));
  for (const file of files)
    expect(await readFile(join(cwd, 'vibe-edit-data', 'keys', file), 'utf8')).not.toContain(bob);
  expect(server.stdout).not.toContain(alice);
});

/** What a server says to a text, until it has said all or closes the connection. */
function answerTo(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, '127.0.0.1', () => socket.end(text));
    socket.on('data', (data) => {
      answer += data;
    });
    socket.on('error', reject);
    socket.on('close', () => resolve(answer));
  });
}

test('says what is wrong and how that is told to a shell', async () => {
  const cwd = await testFolder();
  const server = await startServe({ cwd }, '--concurrency', '0', '--no-playground');
  expect((await fetch(`${server.url}/`)).status).toBe(404);
  const { port } = new URL(server.url);
  for (const [text, code] of [
    ['hello\r\n\r\n', 'malformed_request'],
    ['GET /healthz HTTP/1.1\r\n\r\n', 'malformed_request'],
    ['GET /healthz HTTP/1.1\r\nHost: a b\r\n\r\n', 'malformed_request'],
    [`GET /v1/jobs HTTP/1.1\r\nHost: localhost\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 'headers_too_large'],
    ['GET /nowhere HTTP/1.1\r\nHost: localhost\r\nExpect: all\r\n\r\n', 'not_found'],
  ] as const) {
    const [head = '', body = ''] = (await answerTo(Number(port), text)).split('\r\n\r\n');
    expect([text.slice(0, 80), head, JSON.parse(body).error.code]).toEqual([
      text.slice(0, 80),
      expect.stringMatching(/^HTTP\/1\.1 4[\s\S]*x-request-id: req_/i),
      code,
    ]);
  }
  expect(server.log.filter(({ level }) => Number(level) > 30)).toEqual([]);
  const cases: [args: string[], code: number, message: string][] = [
    [['serve', '--port', port, '--concurrency', '0', '--data', 'other'], 9, 'another program does already'],
    [['serve', '--port', 'x'], 2, '--port: Expected a whole number'],
    [['serve', '--checkpoint', 'nowhere'], 4, 'nowhere'],
    [['serve', '--data', '/dev/null/data'], 7, '/dev/null/data'],
    [['serve', '--redis', 'redis://127.0.0.1:1'], 9, 'Expected a Redis at 127.0.0.1:1 but: connect ECONNREFUSED'],
    [['worker'], 2, '--redis URL or VIBE_REDIS'],
    [['worker', '--redis', 'redis://127.0.0.1:1', '--concurrency', '0'], 2, 'concurrency'],
    [['keys', 'remove', 'nobody'], 2, 'nobody'],
  ];
  await Promise.all(
    cases.map(async ([args, code, message]) => {
      const command = startCommand(args, { cwd });
      expect([args, await command.ended, command.stdout]).toEqual([args, code, '']);
      expect(command.stderr).toContain(message);
    }),
  );
});
