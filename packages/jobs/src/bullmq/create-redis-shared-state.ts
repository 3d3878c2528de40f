import { MissingPackageError, type SharedState } from '@vibe-edit/core';
import type { Redis } from 'ioredis';
import { checkRedisOptions, connectionOptions } from './redis-options.js';

export interface RedisSharedStateOptions {
  /** `redis://` or `rediss://` URL. Default `redis://127.0.0.1:6379`. */
  url?: string;
  /** All processes with the same name share it; the name of a queue may be used. Letters, digits, `-` and `_`. Default `jobs`. */
  name?: string;
  /** Hears errors of the connection; it comes back by itself. Default: nobody. */
  onError?: (error: unknown) => void;
}

/** KEYS: the bucket. ARGV: limit, seconds of the window. Times are the server's: those of its callers may differ. */
const TAKE_TOKEN = `
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local limit, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local bucket = redis.call('HMGET', KEYS[1], 'tokens', 'at')
local tokens = limit
if bucket[1] then tokens = math.min(limit, bucket[1] + math.max(0, now - bucket[2]) * limit / window) end
local taken = 0
if tokens >= 1 then
  taken = 1
  tokens = tokens - 1
end
redis.call('HSET', KEYS[1], 'tokens', string.format('%.9f', tokens), 'at', string.format('%.6f', now))
redis.call('EXPIRE', KEYS[1], math.ceil(window))
return {taken, string.format('%.9f', tokens)}`;

type Commands = Redis & {
  vibe_takeToken(key: string, limit: number, windowSeconds: number): Promise<[taken: number, tokens: string]>;
};

/**
 * Shared state on Redis, for several servers behind one address. Needs the package `ioredis`.
 * @throws {MissingPackageError} when the package is not installed.
 * @throws {InvalidArgumentError} when an option is not what it should be.
 * @example
 * ```ts
 * import { createRedisSharedState } from '@vibe-edit/jobs/bullmq';
 *
 * const shared = await createRedisSharedState({ url: 'redis://queue.internal:6379', onError: console.error });
 * const { taken } = await shared.takeToken({ name: 'requests of alice', limit: 60, windowSeconds: 60 });
 * ```
 */
export async function createRedisSharedState(options: RedisSharedStateOptions = {}): Promise<SharedState> {
  const { url, name } = checkRedisOptions(options);
  const { onError = () => {} } = options;
  const { Redis } = await loadPackage();
  const redis = new Redis(url, connectionOptions()) as Commands;
  redis.on('error', onError);
  redis.defineCommand('vibe_takeToken', { numberOfKeys: 1, lua: TAKE_TOKEN });
  const key = (kind: string, of: string): string => `{vibe-edit-${name}}:shared:${kind}:${of}`;
  try {
    await redis.ping();
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  return {
    async takeToken({ name: bucket, limit, windowSeconds }) {
      const [taken, tokens] = await redis.vibe_takeToken(key('bucket', bucket), limit, windowSeconds);
      return { taken: taken === 1, left: Number(tokens) };
    },
    async remember(what, { seconds }) {
      await redis.set(key('remembered', what), 1, 'PX', Math.ceil(seconds * 1000));
    },
    async remembers(what) {
      return (await redis.exists(key('remembered', what))) === 1;
    },
    async close() {
      await redis.quit().catch(() => redis.disconnect());
    },
  };
}

async function loadPackage() {
  try {
    return await import('ioredis');
  } catch (cause) {
    throw new MissingPackageError({ what: 'Shared state on Redis', packages: ['ioredis'], cause });
  }
}
