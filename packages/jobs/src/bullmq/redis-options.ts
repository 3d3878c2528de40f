import { InvalidArgumentError } from '@vibe-edit/core';

/** Milliseconds that connecting may take. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A command fails after so many tries, seconds in all: whoever asked hears it instead of waiting for ever. */
const RETRIES = 5;

/**
 * The Redis that was named, and the name of what is kept there.
 * @throws {InvalidArgumentError}
 */
export function checkRedisOptions(options: { url?: string; name?: string }): { url: string; name: string } {
  const { url = 'redis://127.0.0.1:6379', name = 'jobs' } = options;
  if (!/^rediss?:\/\//.test(url) || !URL.canParse(url)) {
    fail('url', 'a redis:// or rediss:// URL', url.split('@').at(-1));
  }
  if (!/^[\w-]{1,64}$/.test(name)) fail('name', 'letters, digits, - and _', name);
  return { url, name };
}

/** @param maxRetriesPerRequest null: commands wait until Redis is there again. */
export function connectionOptions(maxRetriesPerRequest: number | null = RETRIES) {
  return { connectTimeout: CONNECT_TIMEOUT_MS, maxRetriesPerRequest };
}

function fail(argument: string, expected: string, received: unknown): never {
  throw new InvalidArgumentError({ argument, expected, received: String(received) });
}
