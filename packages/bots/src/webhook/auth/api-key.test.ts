import { createMemorySharedState, InvalidArgumentError } from '@vibe-edit/core';
import { expect, test } from 'vitest';
import { checkApiKeyRecord, createApiKey, findApiKey, hashApiKey } from './api-key.js';
import { checkListenAddress } from './check-listen-address.js';
import { createRateLimiter } from './rate-limiter.js';

test('a key is found by its record, which does not hold it', () => {
  const made = Array.from({ length: 20 }, (_, index) => createApiKey({ name: `user-${index}` }));
  const records = made.map(({ record }) => record);
  for (const { key, record } of made) {
    expect(findApiKey(records, key)).toBe(record);
    expect(JSON.stringify(record)).not.toContain(key.slice(3));
  }
  expect(findApiKey(records, `${made[0]?.key}x`)).toBe(undefined);
  expect(findApiKey(records, '')).toBe(undefined);
  expect(new Set(made.map(({ key }) => key)).size).toBe(20);
});

test('names, hashes and limits are checked', () => {
  expect(() => createApiKey({ name: 'two words' })).toThrow(InvalidArgumentError);
  expect(() => createApiKey({ name: 'a', limits: { jobsPerHour: 0 } })).toThrow('jobsPerHour');
  expect(() => checkApiKeyRecord({ name: 'a', hash: 'not a hash' })).toThrow('SHA-256');
  checkApiKeyRecord({ name: 'a', hash: hashApiKey('x') });
});

test.each(['127.0.0.1', '127.0.0.2', 'localhost', '::1', '[::1]', 'x.localhost'])('%s needs no key', (host) => {
  checkListenAddress({ host, hasKeys: false });
});

test.each(['0.0.0.0', '::', '192.168.1.5', 'example.com', '', undefined])('%s needs a key', (host) => {
  expect(() => checkListenAddress({ host, hasKeys: false })).toThrow(InvalidArgumentError);
  checkListenAddress({ host, hasKeys: true });
});

test('a limit refills evenly', async () => {
  let now = 0;
  const shared = createMemorySharedState({ now: () => now });
  const limiter = createRateLimiter({ shared, name: 'requests', windowSeconds: 60 });
  const take = () => limiter.take('alice', 3);
  expect([await take(), await take(), await take()].map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
    [true, 2],
    [true, 1],
    [true, 0],
  ]);
  expect(await take()).toMatchObject({ allowed: false, remaining: 0, resetSeconds: 20 });
  expect((await limiter.take('bob', 3)).allowed).toBe(true);
  now = 19_000;
  expect(await take()).toMatchObject({ allowed: false, resetSeconds: 1 });
  now = 20_000;
  expect((await take()).allowed).toBe(true);
  expect((await take()).allowed).toBe(false);
  now = 1_000_000;
  expect((await take()).remaining).toBe(2);
});
