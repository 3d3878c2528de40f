import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLibsqlQueue } from '@vibe-edit/jobs/libsql';
import { afterAll, test } from 'vitest';
import { killRounds } from './kill-rounds.js';
import { stoppedWorker } from './stopped-worker.js';

const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-killed-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test('20 times kill -9 under load, two servers on one file: nothing accepted is lost, given twice or to another', async () => {
  // Jobs here take milliseconds and a server is killed each second, so some job meets more kills than one would in earnest.
  const queueOptions = { file: join(folder, 'jobs.db'), maxAttempts: 20, leaseSeconds: 5 };
  await killRounds({
    module: '@vibe-edit/jobs/libsql',
    create: 'createLibsqlQueue',
    queueOptions,
    folder: join(folder, 'blobs'),
    rounds: 20,
    servers: 2,
    open: () => createLibsqlQueue(queueOptions),
  });
}, 240_000);

test('a worker that was stopped for long cannot finish what another one took', async () => {
  const queueOptions = { file: join(folder, 'stopped.db'), leaseSeconds: 1 };
  await stoppedWorker({
    module: '@vibe-edit/jobs/libsql',
    create: 'createLibsqlQueue',
    queueOptions,
    folder: join(folder, 'stopped-blobs'),
    open: () => createLibsqlQueue(queueOptions),
  });
});
