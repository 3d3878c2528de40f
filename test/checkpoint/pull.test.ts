import { spawn } from 'node:child_process';
import { lstat, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openCheckpoint, type PullEvent, pullCheckpoint } from '@vibe-edit/core';
import { AbortedError, InvalidArgumentError } from '@vibe-edit/core/runtime';
import { checkpointPath as NANO } from '@vibe-edit/model-nano';
import { describe, expect, test, vi } from 'vitest';
import { repositoryOf, TINY_B, WEIGHTS } from './pull-fixture.js';
import { failure, LENGTH, pulledWeights, REPOSITORY, usePullHarness, WEIGHTS_DIGEST } from './pull-harness.js';

const harness = usePullHarness();
const { serve, pull, blobNames } = harness;

describe('a whole pull', () => {
  test('takes hints and what comes with them along', async () => {
    const server = await serve(await repositoryOf(NANO));
    await pull(server);
    const cached = await openCheckpoint(server.repo, { cacheDir: harness.cacheDir });
    const local = await openCheckpoint(NANO);
    expect(cached.hash).toBe(local.hash);
    const [there, here] = [cached.prototypes!.second, local.prototypes!.second];
    expect(await cached.readTensor(there)).toEqual(await local.readTensor(here));
    const [weights, own] = [cached.outOfScope!.weights, local.outOfScope!.weights];
    expect(await cached.readTensor(weights)).toEqual(await local.readTensor(own));
  });

  test('fills the cache as all Hugging Face libraries do, and opens by its name', async () => {
    const server = await serve(await repositoryOf(TINY_B));
    server.pageSize = 4;
    const events: PullEvent[] = [];
    const pulled = await pull(server, { onProgress: (event) => events.push(event) });

    const folder = join(harness.cacheDir, 'models--owner--vibe-model');
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
    const cached = await openCheckpoint(server.repo, { cacheDir: harness.cacheDir });
    expect(cached.hash).toBe(local.hash);
    expect(cached.weightsRoot).toBe(join(folder, 'blobs'));
    const name = 'patch_embed.proj.weight';
    expect(await cached.readTensor(cached.transformer.stateDict.get(name)!)).toEqual(
      await local.readTensor(local.transformer.stateDict.get(name)!),
    );
    expect((await openCheckpoint(`${server.repo}@${server.commit}`, { cacheDir: harness.cacheDir })).path).toBe(
      pulled.path,
    );
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
    await writeFile(join(harness.cacheDir, 'models--owner--vibe-model', 'blobs', (await blobNames())[1]!), 'cut off');
    await writeFile(join(harness.cacheDir, 'models--owner--vibe-model', 'blobs', (await blobNames())[0]!), 'cut off');
    expect(await pulledWeights(await pull(server))).toBe(WEIGHTS_DIGEST);
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
    vi.stubEnv('HF_HOME', harness.cacheDir);
    const pulled = await pullCheckpoint({ repo: server.repo });
    const opened = await failure(openCheckpoint(server.repo));
    vi.unstubAllEnvs();
    expect(pulled.path).toBe(join(harness.cacheDir, 'hub', 'models--owner--vibe-model', 'snapshots', server.commit));
    expect(opened).toMatchObject({ code: 'VIBE_INVALID_CHECKPOINT', file: join(pulled.path, 'model_index.json') });
  });

  test('files of equal content share a blob', async () => {
    const files = new Map(REPOSITORY);
    files.set('vae/diffusion_pytorch_model.safetensors', REPOSITORY.get(WEIGHTS)!);
    const pulled = await pull(await serve(files));
    expect(pulled).toMatchObject({ totalBytes: 2 * LENGTH + 2, downloadedBytes: LENGTH + 2 });
  });

  test('leaves out weights in a second precision', async () => {
    const files = new Map(REPOSITORY);
    files.set(WEIGHTS.replace('.safetensors', '.fp16.safetensors'), REPOSITORY.get(WEIGHTS)!);
    files.set('vae/diffusion_pytorch_model.fp16.safetensors', REPOSITORY.get(WEIGHTS)!);
    const pulled = await pull(await serve(files));
    expect(await readdir(join(pulled.path, 'transformer'))).toEqual(['diffusion_pytorch_model.safetensors']);
    expect(await readdir(join(pulled.path, 'vae'))).toEqual(['diffusion_pytorch_model.fp16.safetensors']);
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
    for (const pulled of pulls) expect(await pulledWeights(pulled)).toBe(WEIGHTS_DIGEST);
    expect(await blobNames()).toHaveLength(2);
  });

  test('what a killed process left is gone on with', async () => {
    const server = await serve();
    server.faults.set(WEIGHTS, [{ cutAfter: 1_000_000 }, { silent: true }]);
    const child = spawn(
      process.execPath,
      [
        fileURLToPath(new URL('./testdata/pull-child.mjs', import.meta.url)),
        server.repo,
        server.endpoint,
        harness.cacheDir,
      ],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await vi.waitFor(() => expect(server.downloads(WEIGHTS)).toHaveLength(2), { timeout: 20_000 });
    const running = await pull(server);
    expect(running.downloadedBytes).toBe(LENGTH);
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
    // The other pull finished the blob meanwhile: take it away, so that only the dead process's part is there.
    const blobs = join(harness.cacheDir, 'models--owner--vibe-model', 'blobs');
    const [whole, partial] = (await blobNames()).filter((name) => /^[0-9a-f]{64}/.test(name));
    const { size } = await stat(join(blobs, partial!));
    expect(size).toBeGreaterThan(0);
    await rm(join(blobs, whole!));
    const pulled = await pull(server);
    expect(pulled.downloadedBytes).toBe(LENGTH - size);
    expect(await pulledWeights(pulled)).toBe(WEIGHTS_DIGEST);
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
    expect(await pulledWeights(pulled)).toBe(WEIGHTS_DIGEST);
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
      pullCheckpoint({ repo: 'owner/model', endpoint: 'http://127.0.0.1:9', cacheDir: harness.cacheDir, ...wrong }),
    );
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(error.message).not.toContain('pass-phrase');
  });
});
