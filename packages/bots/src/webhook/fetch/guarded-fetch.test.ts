import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo, LookupFunction } from 'node:net';
import { AbortedError, DownloadError, InvalidArgumentError } from '@vibe-edit/core';
import { expect, onTestFinished, test } from 'vitest';
import type { HostRefusal } from './guarded-connector.js';
import { createGuardedFetch, type GuardedFetchOptions } from './guarded-fetch.js';
import { createAddressRule } from './public-address.js';

/** A server at an address of this machine; counts the connections that reach it. */
async function listen(handler: RequestListener, host = '127.0.0.1'): Promise<{ port: number; connections(): number }> {
  const server = createServer(handler);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, connections: () => connections };
}

function guarded(options: GuardedFetchOptions = {}) {
  const made = createGuardedFetch(options);
  onTestFinished(() => made.close());
  return made;
}

const LOCAL = { allowedAddresses: ['127.0.0.1/32'] };
const limits = { maxBytes: 1000 };

test.each([
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://0.0.0.0/',
  'http://0/',
  'http://[::]/',
  'http://[::1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[64:ff9b:1::7f00:1]/',
  'http://[2002:7f00:1::]/',
  'http://[2001::1]/',
  'http://[fe80::1]/',
  'http://[fc00::1]/',
  'http://[fd00:ec2::254]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[2001:db8::1]/',
  'http://[4000::1]/',
  'http://10.0.0.1/',
  'http://172.16.0.1/',
  'http://192.168.1.1/',
  'http://169.254.169.254/latest/meta-data/',
  'http://100.64.0.1/',
  'http://192.0.2.1/',
  'http://198.18.0.1/',
  'http://224.0.0.1/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://１２７.0.0.1/',
  'http://127。0。0。1/',
])('a literal address that is not public is refused before anything is sent: %s', async (url) => {
  const fetcher = guarded();
  expect(() => fetcher.check(url)).toThrow(InvalidArgumentError);
  await expect((async () => fetcher.download(url, limits))()).rejects.toThrow(InvalidArgumentError);
});

test.each(['file:///etc/passwd', 'ftp://example.com/', 'data:text/plain,x', 'https://user:pw@example.com/', 'x', ''])(
  'what is no plain web address is refused: %s',
  (url) => {
    expect(() => guarded().check(url)).toThrow(InvalidArgumentError);
  },
);

test.each(['localhost', 'localhost.', 'LOCALHOST', 'anything.localhost'])(
  'names of this machine lead nowhere: %s',
  async (host) => {
    const server = await listen((_, response) => response.end('secret'));
    await expect(guarded().download(`http://${host}:${server.port}/`, limits)).rejects.toThrow();
    expect(server.connections()).toBe(0);
  },
);

test('public addresses pass the rule, and nothing that is no address does', () => {
  const rule = createAddressRule();
  for (const address of ['8.8.8.8', '1.1.1.1', '2606:4700:4700::1111', '::ffff:8.8.8.8']) {
    expect(rule.refusal(address)).toBe(undefined);
  }
  for (const text of ['', 'example.com', '8.8.8.8.8', '8.8.8.8%0']) expect(rule.refusal(text)).toBeDefined();
});

test('a name that leads inside is refused, also when only one of its addresses does', async () => {
  const server = await listen((_, response) => response.end('secret'));
  for (const addresses of [['127.0.0.1'], ['::1'], ['93.184.216.34', '127.0.0.1'], ['::ffff:127.0.0.1'], []]) {
    const lookup = ((_name, _options, callback) =>
      callback(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      )) as LookupFunction;
    const attempt = guarded({ lookup }).download(`http://inside.example:${server.port}/`, limits);
    await expect(attempt).rejects.toThrow(InvalidArgumentError);
  }
  expect(server.connections()).toBe(0);
});

test('nobody learns from an error whether a name is known here; the log does', async () => {
  const lookup = ((name, _options, callback) => {
    if (name === 'inside.example') callback(null, [{ address: '10.0.0.1', family: 4 }]);
    else if (name === 'empty.example') callback(null, []);
    else callback(Object.assign(new Error(`getaddrinfo ENOTFOUND ${name}`), { code: 'ENOTFOUND' }), []);
  }) as LookupFunction;
  const heard: HostRefusal[] = [];
  const fetcher = guarded({ lookup, onRefusedHost: (refusal) => void heard.push(refusal) });
  const errors = [];
  for (const host of ['inside.example', 'unknown.example', 'empty.example']) {
    const error = await fetcher.download(`http://${host}/a?token=secret`, limits).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(InvalidArgumentError);
    errors.push([error.code, error.message]);
  }
  expect(new Set(errors.map((error) => JSON.stringify(error))).size).toBe(1);
  expect(heard).toEqual([
    { host: 'inside.example', reason: 'private' },
    { host: 'unknown.example', reason: 'ENOTFOUND' },
    { host: 'empty.example', reason: 'no address' },
  ]);
});

test('a name whose answers change is looked up once a connection, and that answer is the one that is checked', async () => {
  const inside = await listen((_, response) => response.end('secret'), '127.0.0.2');
  const outside = await listen((_, response) => response.end('picture'), '127.0.0.1');
  let lookups = 0;
  const lookup = ((_name, _options, callback) => {
    lookups += 1;
    callback(null, [{ address: lookups % 2 === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]);
  }) as LookupFunction;
  const fetcher = guarded({ ...LOCAL, lookup });
  const { bytes } = await fetcher.download(`http://rebind.example:${outside.port}/`, limits);
  expect([Buffer.from(bytes).toString(), lookups]).toEqual(['picture', 1]);
  await expect(fetcher.download(`http://rebind.example:${inside.port}/`, limits)).rejects.toThrow(InvalidArgumentError);
  expect(inside.connections()).toBe(0);
});

test.each([301, 302, 303, 307, 308])('a redirect inside is refused: %i', async (status) => {
  const inside = await listen((_, response) => response.end('secret'), '127.0.0.2');
  for (const location of [
    `http://127.0.0.2:${inside.port}/`,
    `//127.0.0.2:${inside.port}/`,
    `http://[::ffff:127.0.0.2]:${inside.port}/`,
    `http://2130706434:${inside.port}/`,
    'file:///etc/passwd',
    'http://user@127.0.0.1/',
  ]) {
    const origin = await listen((_, response) => response.writeHead(status, { location }).end());
    const attempt = guarded(LOCAL).download(`http://127.0.0.1:${origin.port}/`, limits);
    await expect(attempt).rejects.toThrow(InvalidArgumentError);
  }
  expect(inside.connections()).toBe(0);
});

test('redirects that are allowed are followed, as often as the limit says', async () => {
  const origin = await listen((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left === 0) response.writeHead(200, { 'content-type': 'image/png' }).end('picture');
    else response.writeHead(302, { location: `/${left - 1}` }).end();
  });
  const fetcher = guarded(LOCAL);
  const { bytes, mediaType } = await fetcher.download(`http://127.0.0.1:${origin.port}/3`, limits);
  expect([Buffer.from(bytes).toString(), mediaType]).toEqual(['picture', 'image/png']);
  await expect(fetcher.download(`http://127.0.0.1:${origin.port}/4`, limits)).rejects.toThrow(DownloadError);
});

test('no more than the limit is read, told or not, packed or not', async () => {
  const { gzipSync } = await import('node:zlib');
  const handlers: RequestListener[] = [
    (_, response) => response.writeHead(200, { 'content-length': '1001' }).end(Buffer.alloc(1001)),
    (_, response) => {
      const timer = setInterval(() => response.write(Buffer.alloc(100)), 1);
      response.on('close', () => clearInterval(timer));
    },
    (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(10_000_000))),
  ];
  for (const handler of handlers) {
    const { port } = await listen(handler);
    await expect(guarded(LOCAL).download(`http://127.0.0.1:${port}/`, limits)).rejects.toThrow('at most 1000 bytes');
  }
});

test('a server that hangs, trickles or breaks off is an error in time, and an abort ends at once', async () => {
  const hanging: RequestListener = () => undefined;
  const trickling: RequestListener = (_, response) => {
    const timer = setInterval(() => response.write('x'), 20);
    response.on('close', () => clearInterval(timer));
  };
  for (const handler of [hanging, trickling]) {
    const { port } = await listen(handler);
    const fetcher = guarded({ ...LOCAL, timeoutSeconds: 0.3 });
    await expect(fetcher.download(`http://127.0.0.1:${port}/`, limits)).rejects.toThrow('within 0.3 seconds');
    const leaving = new AbortController();
    const attempt = fetcher.download(`http://127.0.0.1:${port}/`, { ...limits, signal: leaving.signal });
    leaving.abort();
    await expect(attempt).rejects.toThrow(AbortedError);
  }
  const { port } = await listen((request) => request.socket.destroy());
  await expect(guarded(LOCAL).download(`http://127.0.0.1:${port}/`, limits)).rejects.toThrow(DownloadError);
});

test('a status that is no success is an error that names it and not the query', async () => {
  const { port } = await listen((_, response) => response.writeHead(404).end('no'));
  const error = await guarded(LOCAL)
    .download(`http://127.0.0.1:${port}/a?token=secret`, limits)
    .catch((thrown) => thrown);
  expect(error).toBeInstanceOf(DownloadError);
  expect(error.status).toBe(404);
  expect(error.message).not.toContain('secret');
});
