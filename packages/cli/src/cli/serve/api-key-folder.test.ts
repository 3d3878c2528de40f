import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InvalidArgumentError } from '@vibe-edit/core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { UsageError } from '../usage-error.js';
import { createApiKeyFolder } from './api-key-folder.js';

let folder = '';

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), 'vibe-edit-keys-')), 'keys');
});

afterEach(() => rm(join(folder, '..'), { recursive: true, force: true }));

it('keeps hashes, readable for their owner only, and no key', async () => {
  const keys = createApiKeyFolder(folder);
  expect(await keys.list()).toEqual([]);
  const key = await keys.create({ name: 'alice', limits: { jobsPerHour: 5 } });
  expect(await readdir(folder)).toEqual(['alice.json']);
  expect(await readFile(join(folder, 'alice.json'), 'utf8')).not.toContain(key);
  expect((await stat(join(folder, 'alice.json'))).mode & 0o077).toBe(0);
  expect(await keys.list()).toMatchObject([{ name: 'alice', limits: { jobsPerHour: 5 } }]);
});

it('sees at once what others add and remove', async () => {
  const keys = createApiKeyFolder(folder);
  const others = createApiKeyFolder(folder);
  for (const name of ['a', 'b', 'c']) {
    await others.create({ name });
    expect((await keys.list()).map((record) => record.name)).toContain(name);
  }
  await others.remove('b');
  expect((await keys.list()).map((record) => record.name)).toEqual(['a', 'c']);
});

it('gives a name once, also to those who ask at the same time', async () => {
  const asked = await Promise.allSettled(
    Array.from({ length: 8 }, () => createApiKeyFolder(folder).create({ name: 'alice' })),
  );
  expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  expect(await readdir(folder)).toEqual(['alice.json']);
  await expect(createApiKeyFolder(folder).create({ name: 'alice' })).rejects.toThrow(UsageError);
});

it('refuses names that are none, and files that are no records', async () => {
  const keys = createApiKeyFolder(folder);
  await expect(keys.create({ name: '../alice' })).rejects.toThrow(InvalidArgumentError);
  expect(await keys.remove('nobody')).toBe(false);
  await keys.create({ name: 'alice' });
  await writeFile(join(folder, 'broken.json'), '{}');
  await expect(keys.list()).rejects.toThrow('broken.json');
});
