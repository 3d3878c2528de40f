import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hubCacheFolder, isSafePath, parseRepository, repositoryFolder } from './hub-cache.js';

test.each([
  ['owner/model', { repo: 'owner/model', revision: 'main' }],
  ['owner/VIBE-Image.Edit_2@v1.0', { repo: 'owner/VIBE-Image.Edit_2', revision: 'v1.0' }],
  ['owner/model@refs/pr/1', { repo: 'owner/model', revision: 'refs/pr/1' }],
  ['model', undefined],
  ['./owner/model', undefined],
  ['../model', undefined],
  ['/owner/model', undefined],
  ['owner/model/more', undefined],
  ['owner/..', undefined],
  ['ow--ner/model', undefined],
  ['owner/model@', undefined],
  ['owner/model@../../x', undefined],
  ['owner\\model', undefined],
])('%j as a repository', (text, expected) => {
  expect(parseRepository(text)).toEqual(expected);
});

test.each([
  ['vae/config.json', true],
  ['a b/ü.json', true],
  ['', false],
  ['.', false],
  ['a/../b', false],
  ['/a', false],
  ['a//b', false],
  ['a/', false],
  ['a\\b', false],
  ['C:', false],
  ['a\nb', false],
  ['a./b', false],
  ['a /b', false],
  ['NUL', false],
  ['com1.json', false],
  ['x'.repeat(256), false],
  ['x/'.repeat(600), false],
])('%.40j stays inside its folder: %s', (path, safe) => {
  expect(isSafePath(path)).toBe(safe);
});

test('the cache is where all Hugging Face libraries have it', () => {
  expect(hubCacheFolder({ HF_HUB_CACHE: '/a', HF_HOME: '/b' })).toBe('/a');
  expect(hubCacheFolder({ HUGGINGFACE_HUB_CACHE: '/a' })).toBe('/a');
  expect(hubCacheFolder({ HF_HOME: '~/b' })).toBe(join(homedir(), 'b', 'hub'));
  expect(hubCacheFolder({ HF_HUB_CACHE: '', XDG_CACHE_HOME: '/c' })).toBe(join('/c', 'huggingface', 'hub'));
  expect(hubCacheFolder({})).toBe(join(homedir(), '.cache', 'huggingface', 'hub'));
  expect(repositoryFolder('/a', 'owner/model')).toBe(join('/a', 'models--owner--model'));
});
