import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openCheckpoint, type PullEvent } from '@vibe-edit/core';
import { DiskFullError, DownloadError } from '@vibe-edit/core/runtime';
import { describe, expect, test } from 'vitest';
import type { HubServer } from './hub-server.js';
import { distinctBytes, WEIGHTS } from './pull-fixture.js';
import { failure, LENGTH, pulledWeights, rangeStart, usePullHarness, WEIGHTS_DIGEST } from './pull-harness.js';

const harness = usePullHarness();
const { serve, pull, blobNames } = harness;

describe('a connection that breaks', () => {
  test('goes on where it was cut', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { cutAfter: 500_000 }]);
    const pulled = await pull(server);
    expect(await pulledWeights(pulled)).toBe(WEIGHTS_DIGEST);
    expect(pulled.downloadedBytes).toBe(LENGTH + 2);
    const [first, second, third] = server.downloads(WEIGHTS);
    expect(first).toMatchObject({ range: undefined, ifRange: undefined });
    expect(second!.ifRange).toMatch(/^"[0-9a-f]{20}"$/);
    expect(third!.ifRange).toBe(second!.ifRange);
    // What was on its way when the connection broke is lost.
    expect(rangeStart(second!)).toBeGreaterThan(0);
    expect(rangeStart(second!)).toBeLessThanOrEqual(1_000_000);
    expect(rangeStart(third!)).toBeGreaterThan(rangeStart(second!));
  });

  test('goes on in a later call', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }]);
    const error = await failure(pull(server, { retries: 0 }));
    expect(error).toBeInstanceOf(DownloadError);
    expect(error.message).not.toContain('secret');
    expect(await failure(openCheckpoint(server.repo, { cacheDir: harness.cacheDir }))).toMatchObject({
      code: 'VIBE_INVALID_CHECKPOINT',
    });
    const events: PullEvent[] = [];
    const pulled = await pull(server, { onProgress: (event) => events.push(event) });
    const resumed = server.downloads(WEIGHTS)[1]!;
    expect(rangeStart(resumed)).toBeGreaterThan(0);
    expect(resumed.ifRange).toEqual(expect.any(String));
    expect(events[0]).toMatchObject({ type: 'start', presentBytes: rangeStart(resumed) + 2 });
    expect(pulled.downloadedBytes).toBe(LENGTH - rangeStart(resumed));
    expect(await pulledWeights(pulled)).toBe(WEIGHTS_DIGEST);
    expect(await blobNames()).toHaveLength(2);
  });

  test('starts anew when the server ignores ranges', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { ignoreRange: true }]);
    expect(await pulledWeights(await pull(server))).toBe(WEIGHTS_DIGEST);
  });

  test('starts anew when the validator changed', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000, bytes: distinctBytes(LENGTH, 2) }, { etag: '"another"' }]);
    const pulled = await pull(server);
    expect(pulled.downloadedBytes).toBeGreaterThan(LENGTH + 2);
    expect(await pulledWeights(pulled)).toBe(WEIGHTS_DIGEST);
  });

  test('starts anew when the server sends another range, or refuses it', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { rangeStart: 999_999 }, { cutAfter: 1000 }, { status: 416 }]);
    expect(await pulledWeights(await pull(server))).toBe(WEIGHTS_DIGEST);
  });

  test('a weak validator is not resumed with', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000, etag: 'W/"weak"' }]);
    expect(await pulledWeights(await pull(server))).toBe(WEIGHTS_DIGEST);
    expect(server.downloads(WEIGHTS)[1]).toMatchObject({ range: expect.any(String), ifRange: undefined });
  });

  test('ends after some tries that bring nothing, but not while bytes come', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, new Array(20).fill({ cutAfter: 0 }));
    expect(await failure(pull(server, { retries: 3 }))).toBeInstanceOf(DownloadError);
    expect(server.downloads(WEIGHTS)).toHaveLength(4);
    server.faults.set(WEIGHTS, [{ cutAfter: 0 }, { cutAfter: 2_000_000 }]);
    expect(await pulledWeights(await pull(server, { retries: 1 }))).toBe(WEIGHTS_DIGEST);
  });

  test('silence counts as a cut', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ silent: true }]);
    expect(await pulledWeights(await pull(server, { idleTimeout: 200 }))).toBe(WEIGHTS_DIGEST);
    server.faults.set('model_index.json', [{ silent: true }]);
    await rm(join(harness.cacheDir, 'models--owner--vibe-model'), { recursive: true });
    expect(await failure(pull(server, { idleTimeout: 200, retries: 0 }))).toMatchObject({
      code: 'VIBE_DOWNLOAD_FAILED',
      message: expect.stringContaining('nothing for 200 ms'),
    });
  });
});

describe('a server that lies', () => {
  test('about content: nothing of it stays', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, new Array(9).fill({ bytes: distinctBytes(LENGTH, 3) }));
    const error = await failure(pull(server));
    expect(error).toMatchObject({ code: 'VIBE_DOWNLOAD_FAILED', message: expect.stringContaining('sha256') });
    expect(server.downloads(WEIGHTS)).toHaveLength(2);
    expect(await blobNames()).toHaveLength(1);
  });

  test('about the content of a small file', async () => {
    const server = await serve();
    server.faults.set('model_index.json', new Array(9).fill({ bytes: new TextEncoder().encode('[]') }));
    expect(await failure(pull(server))).toMatchObject({ message: expect.stringContaining('git-sha1') });
  });

  test.each([
    ['more', LENGTH + 10],
    ['fewer', LENGTH - 10],
  ])('sends %s bytes than were listed', async (_, length) => {
    const server = await serve();
    server.faults.set(WEIGHTS, new Array(99).fill({ bytes: distinctBytes(length) }));
    expect(await failure(pull(server))).toBeInstanceOf(DownloadError);
    expect(server.downloads(WEIGHTS).length).toBeLessThan(20);
  });

  test('about a size that no disk holds', async () => {
    const server = await serve();
    server.changeListing = (entries) =>
      entries.map((entry) => (entry.lfs ? { ...entry, lfs: { ...entry.lfs, size: 2 ** 52 } } : entry));
    const error = await failure(pull(server));
    expect(error).toBeInstanceOf(DiskFullError);
    expect(error).toMatchObject({ needed: 2 ** 52 + 2, available: expect.any(Number) });
    expect(server.requests.every(({ path }) => path.startsWith('/api/'))).toBe(true);
  });

  test.each([
    '../evil.json',
    '/etc/evil.json',
    'vae/../../evil.json',
    'vae/./config.json',
    'vae//config.json',
    'vae\\..\\evil.json',
    'C:/evil.json',
    'vae/a:b.json',
    'vae/con.json',
    'vae/a\u0000.json',
    `vae/${'x'.repeat(300)}.json`,
  ])('names %j as a file', async (path) => {
    const server = await serve();
    server.changeListing = (entries) => [...entries, { ...entries[0]!, path }];
    expect(await failure(pull(server))).toBeInstanceOf(DownloadError);
    expect(await readdir(harness.cacheDir)).toEqual([]);
  });

  test.each([
    ['a digest that leads elsewhere', (entry: object) => ({ ...entry, oid: '../../../evil' })],
    ['no digest', (entry: object) => ({ ...entry, oid: undefined })],
    ['a negative size', (entry: object) => ({ ...entry, size: -1 })],
    ['a size that is text', (entry: object) => ({ ...entry, size: '5' })],
    ['an entry that is no object', () => 5],
  ])('lists %s', async (_, change) => {
    const server = await serve();
    server.changeListing = (entries) => entries.map((entry) => (entry.lfs ? entry : change(entry)));
    expect(await failure(pull(server))).toBeInstanceOf(DownloadError);
  });

  test.each<[string, (server: HubServer) => void]>([
    [
      'a file twice',
      (server) => {
        server.changeListing = (entries) => [...entries, entries[0]];
      },
    ],
    [
      'no checkpoint',
      (server) => {
        server.changeListing = () => [];
      },
    ],
    [
      'something else than a list',
      (server) => {
        server.changeListing = () => ({ error: 'none' });
      },
    ],
    [
      'a page that leads to itself',
      (server) => {
        server.changeNext = () => `${server.endpoint}/api/models/${server.repo}/tree/${server.commit}`;
      },
    ],
    [
      'a commit that is none',
      (server) => {
        server.changeInfo = (info) => ({ ...info, sha: '../../main' });
      },
    ],
    [
      'no commit',
      (server) => {
        server.changeInfo = (info) => ({ ...info, sha: undefined });
      },
    ],
    [
      'no JSON',
      (server) => {
        server.apiFaults.push({ status: 200, body: '<html>' });
      },
    ],
    [
      'no end of it',
      (server) => {
        server.apiFaults.push({ status: 200, body: ' '.repeat(17 * 2 ** 20) });
      },
    ],
  ])('answers with %s', async (_, change) => {
    const server = await serve();
    change(server);
    expect(await failure(pull(server))).toBeInstanceOf(DownloadError);
  });
});

describe('a server that refuses', () => {
  test.each([
    [401, /HF_TOKEN/],
    [403, /licence/],
    [404, /names/],
    [418, /418/],
  ])('with %i: at once, with a hint', async (status, hint) => {
    const server = await serve();
    server.apiFaults.push({ status }, { status });
    expect(await failure(pull(server))).toMatchObject({
      code: 'VIBE_DOWNLOAD_FAILED',
      status,
      message: expect.stringMatching(hint),
    });
    expect(server.requests).toHaveLength(1);
    server.apiFaults.length = 0;
    server.faults.set(WEIGHTS, [{ status }]);
    expect(await failure(pull(server))).toMatchObject({ code: 'VIBE_DOWNLOAD_FAILED', status });
    expect(server.downloads(WEIGHTS)).toHaveLength(1);
  });

  test('for a while: it is asked again', async () => {
    const server = await serve();
    server.apiFaults.push({ status: 503 }, { status: 429, headers: { 'retry-after': '0' } });
    server.faults.set(WEIGHTS, [
      { status: 500 },
      { status: 429, headers: { 'retry-after': new Date().toUTCString() } },
    ]);
    expect(await pulledWeights(await pull(server))).toBe(WEIGHTS_DIGEST);
  });

  test('for so long as it says', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ status: 429, headers: { 'retry-after': '1' } }]);
    const start = performance.now();
    await pull(server);
    expect(performance.now() - start).toBeGreaterThan(950);
  });

  test('for too long', async () => {
    const server = await serve();
    server.apiFaults.push(...new Array(9).fill({ status: 503 }));
    expect(await failure(pull(server, { retries: 2 }))).toMatchObject({ code: 'VIBE_DOWNLOAD_FAILED', status: 503 });
    expect(server.requests).toHaveLength(3);
  });

  test('by not being there', async () => {
    const server = await serve();
    await server.close();
    expect(await failure(pull(server, { retries: 1 }))).toMatchObject({
      code: 'VIBE_DOWNLOAD_FAILED',
      status: undefined,
    });
  });
});
