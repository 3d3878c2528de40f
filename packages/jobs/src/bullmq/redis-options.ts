import { InvalidArgumentError } from '@vibe-edit/core';

/** Milliseconds that connecting may take, and an answer of a Redis that is connected and says nothing. */
const TIMEOUT_MS = 10_000;
/** A command fails after so many tries to connect: whoever asked hears it within seconds instead of waiting for ever. */
const RETRIES = 5;
/** Pauses between tries, ms: the first, each twice the one before, up to the longest. */
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

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
  return {
    connectTimeout: TIMEOUT_MS,
    maxRetriesPerRequest,
    retryStrategy: (times: number) => Math.min(FIRST_PAUSE_MS * 2 ** (times - 1), LONGEST_PAUSE_MS),
    ...(maxRetriesPerRequest !== null && { commandTimeout: TIMEOUT_MS }),
  };
}

function fail(argument: string, expected: string, received: unknown): never {
  throw new InvalidArgumentError({ argument, expected, received: String(received) });
}
