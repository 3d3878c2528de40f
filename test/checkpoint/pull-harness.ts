import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PulledCheckpoint, type PullOptions, pullCheckpoint } from '@vibe-edit/core';
import { afterEach, beforeEach } from 'vitest';
import { type HubServer, type LoggedRequest, type ServedFile, startHubServer } from './hub-server.js';
import { distinctBytes, smallRepository, WEIGHTS } from './pull-fixture.js';

/** Size of the weights of the repository that is served where a test brings none. */
export const LENGTH = 3_000_000;
const weights = distinctBytes(LENGTH);
export const WEIGHTS_DIGEST = createHash('sha256').update(weights).digest('hex');
export const REPOSITORY = smallRepository(weights);

/** A cache of its own for every test, and servers that end with it. */
export interface PullHarness {
  readonly cacheDir: string;
  serve(files?: ReadonlyMap<string, ServedFile>): Promise<HubServer>;
  pull(server: HubServer, options?: Partial<PullOptions>): Promise<PulledCheckpoint>;
  /** Names in the cache's `blobs/`, sorted. */
  blobNames(): Promise<string[]>;
}

export function usePullHarness(): PullHarness {
  let cacheDir = '';
  const servers: HubServer[] = [];

  beforeEach(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'vibe-pull-'));
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
    await rm(cacheDir, { recursive: true });
  });

  return {
    get cacheDir() {
      return cacheDir;
    },
    async serve(files = REPOSITORY) {
      const server = await startHubServer(files);
      servers.push(server);
      return server;
    },
    async pull(server, options = {}) {
      return await pullCheckpoint({
        repo: server.repo,
        endpoint: server.endpoint,
        cacheDir,
        retryDelay: 1,
        ...options,
      });
    },
    async blobNames() {
      return (await readdir(join(cacheDir, 'models--owner--vibe-model', 'blobs'))).sort();
    },
  };
}

/** Digest of the weights that were pulled: comparing so many bytes by `toEqual` takes seconds. */
export async function pulledWeights(pulled: PulledCheckpoint): Promise<string> {
  const bytes = await readFile(join(pulled.path, WEIGHTS));
  return createHash('sha256').update(bytes).digest('hex');
}

/** Where a request goes on. */
export function rangeStart({ range }: LoggedRequest): number {
  return Number(/^bytes=(\d+)-$/.exec(range ?? '')?.[1]);
}

/** What a promise is rejected with. */
export async function failure(work: Promise<unknown>): Promise<Error> {
  return await work.then(
    () => new Error('It succeeded'),
    (error: Error) => error,
  );
}
