import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from '@vibe-edit/core';
import { jobQueueConformance } from '@vibe-edit/core/testing';
import * as runner from 'vitest';
import { createLibsqlQueue } from './index.js';

const { afterAll, expect, test } = runner;
const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-jobs-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

jobQueueConformance({
  name: 'libsql',
  runner,
  createQueue: ({ storeName, ...options }) => createLibsqlQueue({ ...options, file: join(folder, `${storeName}.db`) }),
});

test('a file that is something else is refused and left alone', async () => {
  const file = join(folder, 'notes.txt');
  writeFileSync(file, 'not a database, but long enough to be looked at as one '.repeat(100));
  const before = statSync(file).mtimeMs;
  await expect(createLibsqlQueue({ file })).rejects.toBeInstanceOf(InvalidArgumentError);
  expect(statSync(file).mtimeMs).toBe(before);
});

test('the file is for its owner only', async () => {
  const file = join(folder, 'new', 'folder', 'jobs.db');
  const queue = await createLibsqlQueue({ file });
  if (process.platform !== 'win32') expect(statSync(file).mode & 0o777).toBe(0o600);
  await queue.close();
});
