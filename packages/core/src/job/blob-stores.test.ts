import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as runner from 'vitest';
import { blobStoreConformance } from '../testing/blob-store-conformance.js';
import { createFolderBlobStore } from './folder-blob-store.js';
import { createMemoryBlobStore } from './memory-blob-store.js';

const { afterAll, expect, test } = runner;
const root = mkdtempSync(join(tmpdir(), 'vibe-edit-blobs-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const newFolder = (): string => join(mkdtempSync(join(root, 'store-')), 'deep');

blobStoreConformance({ name: 'memory', runner, createStore: (options) => createMemoryBlobStore(options) });
blobStoreConformance({
  name: 'folder',
  runner,
  createStore: (options) => createFolderBlobStore({ ...options, folder: newFolder() }),
});

test('files are for their owner only, and nothing unfinished stays', async () => {
  const folder = newFolder();
  const store = createFolderBlobStore({ folder, maxBytes: 10 });
  const { key } = await store.put(new Uint8Array(10), { mediaType: 'image/png' });
  await expect(store.put(new Uint8Array(11), { mediaType: 'image/png' })).rejects.toThrow();
  expect(readdirSync(folder).sort()).toEqual([key.slice(0, 2), 'unfinished'].sort());
  expect(readdirSync(join(folder, 'unfinished'))).toEqual([]);
  if (process.platform !== 'win32') expect(statSync(join(folder, key.slice(0, 2), key)).mode & 0o777).toBe(0o600);
});

test('what a process left unfinished long ago is removed, what is new is not', async () => {
  const folder = newFolder();
  mkdirSync(join(folder, 'unfinished'), { recursive: true });
  writeFileSync(join(folder, 'unfinished', 'old'), 'x');
  writeFileSync(join(folder, 'unfinished', 'new'), 'x');
  const longAgo = Date.now() / 1000 - 2 * 60 * 60;
  utimesSync(join(folder, 'unfinished', 'old'), longAgo, longAgo);
  await createFolderBlobStore({ folder }).put(new Uint8Array(1), { mediaType: 'image/png' });
  expect(readdirSync(join(folder, 'unfinished'))).toEqual(['new']);
});

test('lists what was stored before a moment, and nothing else that lies there', async () => {
  const folder = newFolder();
  const store = createFolderBlobStore({ folder });
  const listed = async (before: number): Promise<string[]> => {
    const keys: string[] = [];
    for await (const key of store.list?.({ before }) ?? []) keys.push(key);
    return keys.sort();
  };
  expect(await listed(Date.now() + 60_000)).toEqual([]);
  const [old, young] = await Promise.all(
    [1, 2].map((byte) => store.put(Uint8Array.of(byte), { mediaType: 'image/png' })),
  );
  const pathOf = (key = ''): string => join(folder, key.slice(0, 2), key);
  const longAgo = Date.now() / 1000 - 60;
  utimesSync(pathOf(old?.key), longAgo, longAgo);
  writeFileSync(join(folder, 'note'), 'of somebody');
  writeFileSync(join(folder, (old?.key ?? '').slice(0, 2), 'note'), 'of somebody');
  writeFileSync(join(folder, 'unfinished', 'begun'), 'x');
  expect(await listed(Date.now() - 30_000)).toEqual([old?.key]);
  expect(readdirSync(join(folder, 'unfinished'))).toEqual(['begun']);
  expect(await listed(Date.now() + 60_000)).toEqual([old?.key, young?.key].sort());
  expect(readdirSync(join(folder, 'unfinished'))).toEqual([]);
});

test('another store on the same folder reads what the first one stored', async () => {
  const folder = newFolder();
  const reference = await createFolderBlobStore({ folder }).put(Uint8Array.of(5), { mediaType: 'image/png' });
  const link = join(root, 'link');
  symlinkSync(folder, link, 'junction');
  expect(await createFolderBlobStore({ folder: link }).get(reference)).toEqual(Uint8Array.of(5));
});
