import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { beforeEach, describe, expect, test } from 'vitest';
import { file, form, json, picture, startServer, type TestServer } from './webhook-fixture.js';

const LIMITS = {
  maxBodyBytes: 4 * 1024 * 1024,
  maxImageBytes: 2 * 1024 * 1024,
  requestsPerMinute: 100_000,
  jobsPerHour: 100_000,
};

let server: TestServer;
beforeEach(async () => {
  server = await startServer({ worker: false, limits: LIMITS, queueOptions: { maxQueued: 5000, maxPerUser: 5000 } });
});

/** Checks that an answer is a refusal in the API's form. */
async function expectRefusal(response: Response, statuses: readonly number[]): Promise<string> {
  const text = await response.text();
  expect([response.status, text]).toEqual([expect.toSatisfy((status) => statuses.includes(status)), text]);
  const { error } = JSON.parse(text);
  expect(error).toEqual({
    message: expect.any(String),
    type: expect.any(String),
    param: error.param === null ? null : expect.any(String),
    code: expect.stringMatching(/^[a-z_]+$/),
  });
  expect(response.headers.get('x-request-id')).toMatch(/^req_/);
  return error.code;
}

const routes = ['/v1/jobs', '/v1/images/edits'] as const;
const fields = (bytes: Uint8Array) => ({ image: file(bytes), instruction: 'x', prompt: 'x' });

function send(route: (typeof routes)[number], bytes: Uint8Array): Promise<Response> {
  const { image, instruction } = fields(bytes);
  const named = route === '/v1/jobs' ? form({ image, instruction }) : form({ image, prompt: instruction });
  return server.request(route, { method: 'POST', body: named });
}

/** A chunk of a PNG file; its checksum is right. */
function pngChunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(data.length);
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, checksum]);
}

function crc32(bytes: Buffer): number {
  let value = ~0;
  for (const byte of bytes) {
    value ^= byte;
    for (let bit = 0; bit < 8; bit++) value = (value >>> 1) ^ (value & 1 ? 0xedb88320 : 0);
  }
  return ~value >>> 0;
}

/** A PNG whose header promises a size, and whose data is many zeros packed small. */
function pngBomb(width: number, height: number, zeros: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', header),
    pngChunk('IDAT', deflateSync(Buffer.alloc(zeros))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

describe.each(routes)('pictures sent to %s', (route) => {
  test('of 10,000 x 10,000 pixels, and bombs, are refused by their header', async () => {
    const large = await sharp({ create: { width: 10_000, height: 10_000, channels: 3, background: 'red' } })
      .png({ compressionLevel: 9 })
      .toBuffer();
    const bombs = [
      large,
      pngBomb(10_000, 10_000, 1000),
      pngBomb(2 ** 31 - 1, 2 ** 31 - 1, 1000),
      pngBomb(65_000, 65_000, 10),
    ];
    const before = process.memoryUsage().rss;
    for (const bytes of bombs) expect(await expectRefusal(await send(route, bytes), [400])).toBe('invalid_image');
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 1024 * 1024);
  });

  test('of sides that no edit can work with are refused by their header', async () => {
    for (const [width, height] of [
      [2010, 10],
      [10, 2010],
      [65_000, 300],
    ] as const) {
      expect(await expectRefusal(await send(route, pngBomb(width, height, 10)), [400])).toBe('invalid_image');
    }
    expect((await server.queue.stats()).states.queued).toBe(0);
  });

  test('of other types are refused by their name', async () => {
    const others: Record<string, Buffer> = {
      SVG: Buffer.from(
        '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><image href="/etc/passwd"/></svg>',
      ),
      PDF: Buffer.from('%PDF-1.7\n'),
      empty: Buffer.alloc(0),
      text: Buffer.from('hello'),
      zip: Buffer.from('PK\x03\x04'),
      'cut PNG': (await picture()).subarray(0, 20),
    };
    for (const [name, bytes] of Object.entries(others)) {
      expect([name, await expectRefusal(await send(route, bytes), [400])]).toEqual([name, 'invalid_image']);
    }
  });

  test('over the limit of bytes are refused', async () => {
    const code = await expectRefusal(await send(route, Buffer.alloc(LIMITS.maxImageBytes + 1)), [413]);
    expect(code).toBe('file_too_large');
  });
});

describe('bodies', () => {
  /** Sends a body of 100 MB as fast as the server takes it; gives the answer and how much was taken. */
  function sendHuge(headers: Record<string, string>): Promise<{ status: number; text: string; sent: number }> {
    return new Promise((resolve, reject) => {
      const chunk = Buffer.alloc(64 * 1024);
      let sent = 0;
      const outgoing = httpRequest(`${server.url}/v1/jobs`, { method: 'POST', headers }, async (response) => {
        let text = '';
        for await (const part of response) text += part;
        resolve({ status: response.statusCode ?? 0, text, sent });
        outgoing.destroy();
      });
      // The server closes the connection on those who go on sending.
      outgoing.on('error', (error) => (sent > 0 ? undefined : reject(error)));
      const more = (): void => {
        while (sent < 100_000_000 && !outgoing.destroyed) {
          sent += chunk.length;
          if (!outgoing.write(chunk)) return void outgoing.once('drain', more);
        }
      };
      more();
    });
  }

  test.each([
    ['announced', { 'content-type': 'application/json', 'content-length': '100000000' }],
    ['in pieces', { 'content-type': 'application/json' }],
    ['as a form in pieces', { 'content-type': 'multipart/form-data; boundary=x' }],
  ])('of 100 MB are refused early: %s', async (_, headers) => {
    const before = process.memoryUsage().rss;
    const { status, text, sent } = await sendHuge(headers);
    expect([413, 400]).toContain(status);
    expect(JSON.parse(text).error.code).toMatch(/body_too_large|invalid_multipart/);
    expect(sent).toBeLessThan(90_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024);
  });

  test('that stand still, trickle, or are cut off, end in time', async () => {
    const slow = await startServer({
      worker: false,
      limits: { ...LIMITS, uploadIdleSeconds: 0.2, uploadSeconds: 0.6 },
    });
    const { port } = new URL(slow.url);
    const send = (trickle: boolean): Promise<string> =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), '127.0.0.1');
        let text = '';
        socket.on('data', (data) => {
          text += data;
          if (text.includes('}}')) socket.destroy();
        });
        socket.on('close', () => resolve(text));
        socket.on('error', reject);
        socket.write(
          'POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
        );
        const timer = trickle ? setInterval(() => socket.write(' '), 50) : undefined;
        socket.on('close', () => clearInterval(timer));
      });
    for (const trickle of [false, true]) expect(await send(trickle)).toMatch(/^HTTP\/1.1 408 /);
    const cut = connect(Number(port), '127.0.0.1');
    cut.end(
      'POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{',
    );
    cut.resume();
    await new Promise((resolve) => cut.on('close', resolve));
    expect((await slow.request('/healthz')).status).toBe(200);
  });

  test('together take no more memory than allowed', async () => {
    const small = await startServer({ worker: false, limits: { ...LIMITS, maxBytesInFlight: 1_500_000 } });
    const big = json({ instruction: 'x', image: 'A'.repeat(1_000_000) });
    const statuses: number[] = [];
    const status = async () => {
      statuses.push((await small.request('/v1/jobs', big)).status);
      return statuses.at(-1);
    };
    const { hostname, port } = new URL(small.url);
    const held = connect(Number(port), hostname);
    held.on('error', () => {});
    held.write(
      'POST /v1/jobs HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n',
    );
    held.write('A'.repeat(900_000));
    // Its bytes may still be on their way.
    await expect.poll(status, { timeout: 10_000 }).toBe(503);
    held.destroy();
    // What was taken is given back.
    await expect.poll(status, { timeout: 10_000 }).toBe(400);
    expect(statuses.every((status) => status === 400 || status === 503)).toBe(true);
  });

  test.each([
    ['no type', {}, 'x'],
    ['another type', { 'content-type': 'text/plain' }, 'x'],
    ['a packed body', { 'content-type': 'application/json', 'content-encoding': 'gzip' }, 'x'],
    ['a url-encoded form', { 'content-type': 'application/x-www-form-urlencoded' }, 'instruction=x'],
  ])('%s is refused by its type', async (_, headers, body) => {
    const request = { method: 'POST', headers: headers as Record<string, string>, body: Buffer.from(body) };
    expect(await expectRefusal(await server.request('/v1/jobs', request), [415])).toBe('unsupported_media_type');
  });

  test.each([
    'null',
    '[]',
    '"x"',
    '1',
    '{',
    '',
    '\u0000',
    '{"instruction":}',
    `${'['.repeat(100_000)}${']'.repeat(100_000)}`,
    `{"instruction":${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}}`,
    '{"__proto__":{"instruction":"x"}}',
    '{"constructor":{"prototype":{}},"instruction":"x"}',
    '{"instruction":"x","unknown":1}',
    '{"instruction":["x",1]}',
    '{"instruction":"x","seed":1e400}',
    '{"instruction":"x","seed":-1}',
    '{"instruction":"x","size":"axb"}',
    '{"instruction":"x","image":""}',
    '{"instruction":"x","image":"&&&"}',
    '{"instruction":"x","image":"data:text/html,<p>"}',
    '{"instruction":"x","image_url":"http://127.0.0.1/"}',
    '{"instruction":"x","image_url":"javascript:alert(1)"}',
    '{"instruction":"x","mask":"AAAA"}',
    '{"instruction":"x","kind":"edit"}',
    '{"instruction":"x","num_images":11}',
    '{"instruction":"x","priority":1000}',
  ])('JSON that is wrong is a 400: %.60s', async (body) => {
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    await expectRefusal(await server.request('/v1/jobs', request), [400]);
  });

  test.each([
    '/v1/jobs/x',
    '/v1/jobs/%00',
    '/v1/jobs/..%2f..%2fetc',
    `/v1/jobs/${'f'.repeat(32)}`,
    '/v1/models/x%0d%0ay',
  ])('what is not there is a 404: %s', async (path) => {
    await expectRefusal(await server.request(path), [404]);
  });

  test.each([
    ['without headers', '\r\n', ''],
    ['without a name', 'X: y\r\n\r\n', ''],
    ['without a name, another after it', 'X: y\r\n\r\n', '--b\r\n\r\nx\r\n'],
  ])('a form with a long part %s is a 400 and holds nobody up', async (_, head, more) => {
    const name = 'Content-Disposition: form-data; name="instruction"';
    const body = `--b\r\n${name}\r\n\r\nx\r\n--b\r\n${head}${'x'.repeat(100_000)}\r\n${more}--b--\r\n`;
    const headers = { 'content-type': 'multipart/form-data; boundary=b' };
    await expectRefusal(await server.request('/v1/jobs', { method: 'POST', headers, body }), [400]);
  });

  test.each([
    ['PUT', '/v1/jobs', 'GET, POST'],
    ['GET', '/v1/images/edits', 'POST'],
    ['POST', '/v1/models', 'GET'],
    ['PATCH', `/v1/jobs/${'f'.repeat(32)}`, 'GET, DELETE'],
  ])('another method is a 405: %s %s', async (method, path, allow) => {
    const response = await server.request(path, { method });
    expect(response.headers.get('allow')).toBe(allow);
    await expectRefusal(response, [405]);
  });

  test.each([
    ['{}', 'instruction', 'missing_parameter'],
    ['{"instruction":5}', 'instruction', 'invalid_value'],
    ['{"instruction":"x","seed":"seven"}', 'seed', 'invalid_value'],
    ['{"instruction":"x","image_url":"http://127.0.0.1/"}', 'image_url', 'invalid_argument'],
    ['{"instruction":"x","image":"AAAA","mask_url":"http://[::1]/"}', 'mask_url', 'invalid_argument'],
  ])('the error names the parameter at fault: %s', async (body, param, code) => {
    const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
    const { error } = (await (await server.request('/v1/jobs', request)).json()) as { error: object };
    expect(error).toMatchObject({ param, code });
  });
});

/** Numbers that look random and are the same in each run. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test('1,000 damaged forms and JSON bodies: refused or taken, never a failure, and memory stays', async () => {
  const random = generator(7);
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;
  const image = await picture();
  const boundary = 'fuzz-boundary';
  const part = (name: string, value: Buffer | string, head = ''): Buffer =>
    Buffer.concat([
      Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="${name}"${head}\r\n\r\n`),
      Buffer.from(value),
      Buffer.from('\r\n'),
    ]);
  const forms = [
    Buffer.concat([
      part('image', image, '; filename="a.png"\r\ncontent-type: image/png'),
      part('instruction', 'make it warmer'),
      part('prompt', 'make it warmer'),
      part('seed', '7'),
      Buffer.from(`--${boundary}--\r\n`),
    ]),
  ];
  const bodies = [
    Buffer.from(
      JSON.stringify({ instruction: 'x', prompt: 'x', image: image.toString('base64'), seed: 7, size: '64x48' }),
    ),
    Buffer.from('{"instruction":["a","b"],"num_images":2,"guidance_scale":1.5,"previews":true}'),
  ];
  const junk = [
    '\0',
    '\r\n',
    '\r\n\r\n',
    '--',
    `--${boundary}`,
    '"',
    '{',
    '}',
    '[',
    ',',
    ':',
    '1e999',
    '\ud800',
    '-',
    'null',
  ];

  const damage = (body: Buffer): Buffer => {
    let damaged = Buffer.from(body);
    for (let times = 1 + Math.floor(random() * 6); times > 0; times--) {
      const at = Math.floor(random() * damaged.length);
      const length = Math.floor(random() * 40);
      const cut = [damaged.subarray(0, at), damaged.subarray(at + length)] as const;
      const change = pick(['flip', 'cut', 'drop', 'insert', 'repeat'] as const);
      if (change === 'flip' && damaged.length > 0) damaged[at] = Math.floor(random() * 256);
      if (change === 'cut') damaged = Buffer.from(cut[0]);
      if (change === 'drop') damaged = Buffer.concat(cut);
      if (change === 'insert')
        damaged = Buffer.concat([damaged.subarray(0, at), Buffer.from(pick(junk)), damaged.subarray(at)]);
      if (change === 'repeat') damaged = Buffer.concat([damaged, damaged.subarray(at, at + length)]);
    }
    return damaged;
  };
  const contentTypes = [
    `multipart/form-data; boundary=${boundary}`,
    `multipart/form-data; boundary="${boundary}"`,
    'multipart/form-data',
    'multipart/form-data; boundary=',
    `multipart/form-data; boundary=${'x'.repeat(5000)}`,
    'application/json',
    'application/json; charset=utf-16',
  ];

  const { waiting, ended } = { waiting: new Set<Promise<void>>(), ended: new Map<number, number>() };
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 1000; round++) {
    const isForm = random() < 0.6;
    const type = random() < 0.9 ? (isForm ? contentTypes[0] : 'application/json') : pick(contentTypes);
    const body = Uint8Array.from(damage(isForm ? pick(forms) : pick(bodies)));
    const route = pick(['/v1/jobs', '/v1/images/edits', '/v1/images/generations']);
    // The image routes wait for a job that nobody carries out: whoever is not refused hangs up.
    const work = server
      .request(route, {
        method: 'POST',
        headers: { 'content-type': type as string },
        body,
        signal: AbortSignal.timeout(3000),
      })
      .then(async (response) => {
        ended.set(response.status, (ended.get(response.status) ?? 0) + 1);
        if (response.status === 202) await response.arrayBuffer();
        else await expectRefusal(response, [400, 413, 415, 429]);
      })
      .catch((error) => {
        if (error?.name !== 'TimeoutError') throw error;
      });
    const tracked = work.finally(() => waiting.delete(tracked));
    waiting.add(tracked);
    if (waiting.size >= 32) await Promise.race(waiting);
  }
  await Promise.all(waiting);
  // Some damage does no harm, most does.
  expect(ended.get(202)).toBeGreaterThan(10);
  expect(ended.get(400)).toBeGreaterThan(300);
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
  expect((await server.request('/healthz')).status).toBe(200);
});
