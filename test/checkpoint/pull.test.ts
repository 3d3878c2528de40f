import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  openCheckpoint,
  type PullEvent,
  type PulledCheckpoint,
  type PullOptions,
  pullCheckpoint,
} from '@vibe-edit/core';
import { AbortedError, DiskFullError, DownloadError, InvalidArgumentError } from '@vibe-edit/core/runtime';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type HubServer, type LoggedRequest, type ServedFile, startHubServer } from './hub-server.js';
import { distinctBytes, repositoryOf, smallRepository, TINY_B, WEIGHTS } from './pull-fixture.js';

const LENGTH = 3_000_000;
const weights = distinctBytes(LENGTH);
const digest = createHash('sha256').update(weights).digest('hex');

let cacheDir: string;
const servers: HubServer[] = [];

beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'vibe-pull-'));
});

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(cacheDir, { recursive: true });
});

async function serve(files: ReadonlyMap<string, ServedFile> = smallRepository(weights)): Promise<HubServer> {
  const server = await startHubServer(files);
  servers.push(server);
  return server;
}

async function pull(server: HubServer, options: Partial<PullOptions> = {}): Promise<PulledCheckpoint> {
  return await pullCheckpoint({ repo: server.repo, endpoint: server.endpoint, cacheDir, retryDelay: 1, ...options });
}

/** Digest of the weights that were pulled: `toEqual` takes seconds for so many bytes. */
async function pulledWeights(pulled: PulledCheckpoint): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(pulled.path, WEIGHTS)))
    .digest('hex');
}

async function blobNames(): Promise<string[]> {
  return (await readdir(join(cacheDir, 'models--owner--vibe-model', 'blobs'))).sort();
}

/** Where a request goes on. */
function rangeStart({ range }: LoggedRequest): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
}

async function failure(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => new Error('It succeeded'),
    (error: Error) => error,
  );
}

describe('a whole pull', () => {
  test('fills the cache as all Hugging Face libraries do, and opens by its name', async () => {
    const server = await serve(await repositoryOf(TINY_B));
    server.pageSize = 4;
    const events: PullEvent[] = [];
    const pulled = await pull(server, { onProgress: (event) => events.push(event) });

    const folder = join(cacheDir, 'models--owner--vibe-model');
    expect(pulled).toMatchObject({
      revision: 'main',
      commit: server.commit,
      path: join(folder, 'snapshots', server.commit),
    });
    expect(await readFile(join(folder, 'refs', 'main'), 'utf8')).toBe(server.commit);
    const link = join(pulled.path, 'vae', 'diffusion_pytorch_model.safetensors');
    expect((await lstat(link)).isSymbolicLink()).toBe(true);
    expect(await readlink(link)).toMatch(/^\.\.\/\.\.\/\.\.\/blobs\/[0-9a-f]{64}$/);
    expect(await readlink(join(pulled.path, 'model_index.json'))).toMatch(/^\.\.\/\.\.\/blobs\/[0-9a-f]{40}$/);
    expect((await blobNames()).every((name) => /^[0-9a-f]{40}$|^[0-9a-f]{64}$/.test(name))).toBe(true);
    const unneeded = server.requests.filter(({ path }) => /README|gitattributes|\.bin|\.onnx|\.png/.test(path));
    expect(unneeded).toEqual([]);

    const local = await openCheckpoint(TINY_B);
    const cached = await openCheckpoint(server.repo, { cacheDir });
    expect(cached.hash).toBe(local.hash);
    expect(cached.weightsRoot).toBe(join(folder, 'blobs'));
    const name = 'patch_embed.proj.weight';
    expect(await cached.readTensor(cached.transformer.stateDict.get(name)!)).toEqual(
      await local.readTensor(local.transformer.stateDict.get(name)!),
    );
    expect((await openCheckpoint(`${server.repo}@${server.commit}`, { cacheDir })).path).toBe(pulled.path);
    expect((await openCheckpoint(folder)).path).toBe(pulled.path);

    expect(events[0]).toEqual({
      type: 'start',
      commit: server.commit,
      files: pulled.files,
      totalBytes: pulled.totalBytes,
      presentBytes: 0,
    });
    expect(events.at(-1)).toEqual({
      type: 'done',
      path: pulled.path,
      totalBytes: pulled.totalBytes,
      downloadedBytes: pulled.totalBytes,
    });
    const progress = events.filter((event) => event.type === 'progress');
    expect(progress.map(({ bytes }) => bytes)).toEqual(progress.map(({ bytes }) => bytes).sort((a, b) => a - b));
    expect(progress.at(-1)!.bytes).toBe(pulled.totalBytes);
    expect(events.filter((event) => event.type === 'file')).toHaveLength(pulled.files);
  });

  test('a second one loads nothing, and a damaged blob is loaded again', async () => {
    const server = await serve();
    await pull(server);
    expect((await pull(server)).downloadedBytes).toBe(0);
    expect(server.downloads(WEIGHTS)).toHaveLength(1);
    await writeFile(join(cacheDir, 'models--owner--vibe-model', 'blobs', (await blobNames())[1]!), 'cut off');
    await writeFile(join(cacheDir, 'models--owner--vibe-model', 'blobs', (await blobNames())[0]!), 'cut off');
    expect(await pulledWeights(await pull(server))).toBe(digest);
  });

  test('prints nothing', async () => {
    const server = await serve();
    const writes = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    const logs = (['log', 'info', 'warn', 'error', 'debug'] as const).map((name) => vi.spyOn(console, name));
    await pull(server);
    const calls = [...writes, ...logs].map((spy) => spy.mock.calls.length);
    vi.restoreAllMocks();
    expect(calls).toEqual([0, 0, 0, 0, 0, 0, 0]);
  });

  test('takes endpoint, token and cache from the environment', async () => {
    const server = await serve();
    server.token = 'some-token';
    vi.stubEnv('HF_ENDPOINT', server.endpoint);
    vi.stubEnv('HF_TOKEN', ' some-token ');
    vi.stubEnv('HF_HUB_CACHE', '');
    vi.stubEnv('HF_HOME', cacheDir);
    const pulled = await pullCheckpoint({ repo: server.repo });
    const opened = await failure(openCheckpoint(server.repo));
    vi.unstubAllEnvs();
    expect(pulled.path).toBe(join(cacheDir, 'hub', 'models--owner--vibe-model', 'snapshots', server.commit));
    expect(opened).toMatchObject({ code: 'VIBE_INVALID_CHECKPOINT', file: join(pulled.path, 'model_index.json') });
  });

  test('files of equal content share a blob', async () => {
    const files = smallRepository(weights);
    files.set('vae/diffusion_pytorch_model.safetensors', { bytes: weights, large: true });
    const pulled = await pull(await serve(files));
    expect(pulled).toMatchObject({ totalBytes: 2 * LENGTH + 2, downloadedBytes: LENGTH + 2 });
  });

  test('leaves out weights in a second precision', async () => {
    const files = smallRepository(weights);
    files.set(WEIGHTS.replace('.safetensors', '.fp16.safetensors'), { bytes: weights, large: true });
    files.set('vae/diffusion_pytorch_model.fp16.safetensors', { bytes: weights, large: true });
    const pulled = await pull(await serve(files));
    expect(await readdir(join(pulled.path, 'transformer'))).toEqual(['diffusion_pytorch_model.safetensors']);
    expect(await readdir(join(pulled.path, 'vae'))).toEqual(['diffusion_pytorch_model.fp16.safetensors']);
  });
});

describe('a connection that breaks', () => {
  test('goes on where it was cut', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { cutAfter: 500_000 }]);
    const pulled = await pull(server);
    expect(await pulledWeights(pulled)).toBe(digest);
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
    expect(await failure(openCheckpoint(server.repo, { cacheDir }))).toMatchObject({ code: 'VIBE_INVALID_CHECKPOINT' });
    const events: PullEvent[] = [];
    const pulled = await pull(server, { onProgress: (event) => events.push(event) });
    const resumed = server.downloads(WEIGHTS)[1]!;
    expect(rangeStart(resumed)).toBeGreaterThan(0);
    expect(resumed.ifRange).toEqual(expect.any(String));
    expect(events[0]).toMatchObject({ type: 'start', presentBytes: rangeStart(resumed) + 2 });
    expect(pulled.downloadedBytes).toBe(LENGTH - rangeStart(resumed));
    expect(await pulledWeights(pulled)).toBe(digest);
    expect(await blobNames()).toHaveLength(2);
  });

  test('starts anew when the server ignores ranges', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { ignoreRange: true }]);
    expect(await pulledWeights(await pull(server))).toBe(digest);
  });

  test('starts anew when the validator changed', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000, bytes: distinctBytes(LENGTH, 2) }, { etag: '"another"' }]);
    const pulled = await pull(server);
    expect(pulled.downloadedBytes).toBeGreaterThan(LENGTH + 2);
    expect(await pulledWeights(pulled)).toBe(digest);
  });

  test('starts anew when the server sends another range, or refuses it', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { rangeStart: 999_999 }, { cutAfter: 1000 }, { status: 416 }]);
    expect(await pulledWeights(await pull(server))).toBe(digest);
  });

  test('a weak validator is not resumed with', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000, etag: 'W/"weak"' }]);
    expect(await pulledWeights(await pull(server))).toBe(digest);
    expect(server.downloads(WEIGHTS)[1]).toMatchObject({ range: expect.any(String), ifRange: undefined });
  });

  test('ends after some tries that bring nothing, but not while bytes come', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, new Array(20).fill({ cutAfter: 0 }));
    expect(await failure(pull(server, { retries: 3 }))).toBeInstanceOf(DownloadError);
    expect(server.downloads(WEIGHTS)).toHaveLength(4);
    server.faults.set(WEIGHTS, [{ cutAfter: 0 }, { cutAfter: 2_000_000 }]);
    expect(await pulledWeights(await pull(server, { retries: 1 }))).toBe(digest);
  });

  test('silence counts as a cut', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ silent: true }]);
    expect(await pulledWeights(await pull(server, { idleTimeout: 200 }))).toBe(digest);
    server.faults.set('model_index.json', [{ silent: true }]);
    await rm(join(cacheDir, 'models--owner--vibe-model'), { recursive: true });
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
    expect(await readdir(cacheDir)).toEqual([]);
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
    expect(await pulledWeights(await pull(server))).toBe(digest);
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

describe('the token', () => {
  test('goes to the hub alone, not to where it redirects', async () => {
    const server = await serve();
    server.token = 'hf_secret';
    await pull(server, { token: 'hf_secret' });
    const hub = server.requests.filter((request) => request.server === 'hub');
    expect(hub.every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true);
    expect(server.downloads(WEIGHTS)).toEqual([expect.objectContaining({ server: 'cdn', authorization: undefined })]);
  });

  test('does not follow the listing to another host', async () => {
    const server = await serve();
    const other = await serve();
    server.token = 'hf_secret';
    server.changeNext = () => `${other.endpoint}/api/models/${other.repo}/tree/${other.commit}`;
    server.changeListing = (entries) => entries.slice(0, 1);
    other.changeListing = (entries) => entries.slice(1);
    await pull(server, { token: 'hf_secret' });
    expect(other.requests[0]).toMatchObject({ authorization: undefined });
  });

  test('stands in no error', async () => {
    const server = await serve();
    const error = await failure(pull(server, { token: 'sécret' }));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).not.toContain('cret');
  });
});

describe('redirects', () => {
  test.each([
    ['to itself', (url: string) => url, /redirects/],
    ['to a file', () => 'file:///etc/passwd', /file:/],
    ['to no URL', () => 'http://[', /redirect to a URL/],
  ])('%s', async (name, location, message) => {
    const server = await serve();
    const own = `${server.endpoint}/${server.repo}/resolve/${server.commit}/${WEIGHTS}`;
    server.changeLocation = () => location(name === 'to itself' ? own : '');
    expect(await failure(pull(server))).toMatchObject({
      code: 'VIBE_DOWNLOAD_FAILED',
      message: expect.stringMatching(message),
    });
  });
});

describe('several at once', () => {
  test('do not disturb each other', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { cutAfter: 1_000_000 }, { cutAfter: 5 }]);
    const pulls = await Promise.all([pull(server), pull(server), pull(server)]);
    for (const pulled of pulls) expect(await pulledWeights(pulled)).toBe(digest);
    expect(await blobNames()).toHaveLength(2);
  });

  test('what a killed process left is gone on with', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { silent: true }]);
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('./testdata/pull-child.mjs', import.meta.url)), server.repo, server.endpoint, cacheDir],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await vi.waitFor(() => expect(server.downloads(WEIGHTS)).toHaveLength(2), { timeout: 20_000 });
    const running = await pull(server);
    expect(running.downloadedBytes).toBe(LENGTH);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    // The other pull finished the blob meanwhile: take it away, so that only the dead process's part is there.
    const blobs = join(cacheDir, 'models--owner--vibe-model', 'blobs');
    const [whole, partial] = (await blobNames()).filter((name) => /^[0-9a-f]{64}/.test(name));
    const { size } = await stat(join(blobs, partial!));
    expect(size).toBeGreaterThan(0);
    await rm(join(blobs, whole!));
    const pulled = await pull(server);
    expect(pulled.downloadedBytes).toBe(LENGTH - size);
    expect(await pulledWeights(pulled)).toBe(digest);
  });
});

describe('an aborted pull', () => {
  test('ends with a typed error and goes on the next time', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { silent: true }]);
    const controller = new AbortController();
    const pulling = failure(pull(server, { signal: controller.signal }));
    await vi.waitFor(() => expect(server.downloads(WEIGHTS)).toHaveLength(2), { timeout: 10_000 });
    controller.abort('enough');
    const error = await pulling;
    expect(error).toBeInstanceOf(AbortedError);
    expect(error.cause).toBe('enough');
    const pulled = await pull(server);
    expect(pulled.downloadedBytes).toBeLessThan(LENGTH);
    expect(await pulledWeights(pulled)).toBe(digest);
  });

  test('also while it waits to try again, and before it begins', async () => {
    const server = await serve();
    server.apiFaults.push({ status: 503 });
    const signal = AbortSignal.timeout(100);
    expect(await failure(pull(server, { signal, retryDelay: 60_000 }))).toBeInstanceOf(AbortedError);
    expect(await failure(pull(server, { signal: AbortSignal.abort() }))).toBeInstanceOf(AbortedError);
  });
});

describe('arguments', () => {
  test.each([
    { repo: 'one-part' },
    { repo: '../evil/model' },
    { repo: 'a/b/c' },
    { repo: 'a/..' },
    { repo: 'a/b@main' },
    { repo: 'a--b/c' },
    { revision: '../../evil' },
    { revision: '' },
    { endpoint: 'ftp://hub' },
    { endpoint: 'hub' },
    { endpoint: 'http://user:pass-phrase@hub' },
  ])('%j is refused', async (wrong) => {
    const error = await failure(
      pullCheckpoint({ repo: 'owner/model', endpoint: 'http://127.0.0.1:9', cacheDir, ...wrong }),
    );
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).not.toContain('pass-phrase');
  });
});
