import type { Redis } from 'ioredis';
import type { FlatHash } from './hashes.js';
import { SCRIPTS, type ScriptName } from './scripts.js';

/** The commands that the queue needs, on keys under one prefix. */
export interface RedisClient {
  script(name: ScriptName, ...values: readonly (string | number)[]): Promise<unknown>;
  /** Highest scores first, under a bound such as `(5` or `+inf`. */
  newest(set: string, below: string, limit: number): Promise<string[]>;
  /** Lowest scores first. */
  range(set: string, limit?: number): Promise<string[]>;
  above(set: string, score: number): Promise<string[]>;
  count(set: string): Promise<number>;
  hash(key: string): Promise<Record<string, string>>;
  hashes(keys: readonly string[]): Promise<FlatHash[]>;
  field(key: string, name: string): Promise<string | null>;
  setField(key: string, name: string, value: string): Promise<void>;
  deleteFields(key: string, names: readonly string[]): Promise<void>;
  countFields(key: string): Promise<number>;
  members(set: string): Promise<string[]>;
  someMembers(set: string, limit: number): Promise<string[]>;
  removeMembers(set: string, members: readonly string[]): Promise<void>;
  /** Tells all processes; nobody waits for it. */
  publish(message: string): void;
  /** Hears what was published, and `anything` after a connection came back. */
  onMessage(listener: (message: string) => void): void;
  close(): Promise<void>;
}

type Commands = Redis & Record<`vibe_${ScriptName}`, (...values: (string | number)[]) => Promise<unknown>>;

/**
 * @param options.subscriber A connection of its own, since one that listens takes no commands.
 * @param options.prefix Of all keys, with a hash tag, and a colon at its end.
 */
export async function createRedisClient(options: {
  commands: Redis;
  subscriber: Redis;
  prefix: string;
  onError(error: unknown): void;
}): Promise<RedisClient> {
  const { subscriber, prefix, onError } = options;
  const commands = options.commands as Commands;
  commands.on('error', onError);
  subscriber.on('error', onError);
  for (const [name, lua] of SCRIPTS) commands.defineCommand(`vibe_${name}`, { numberOfKeys: 1, lua });
  const key = (name: string): string => `${prefix}${name}`;
  let listener: (message: string) => void = () => {};
  subscriber.on('message', (_channel: string, message: string) => listener(message));
  subscriber.on('ready', () => listener('anything'));
  try {
    // First the one that gives up when nobody answers.
    await commands.ping();
    await subscriber.subscribe(key('changes'));
  } catch (error) {
    subscriber.disconnect();
    commands.disconnect();
    throw error;
  }
  return {
    script: (name, ...values) => commands[`vibe_${name}`](prefix, ...values),
    newest: (set, below, limit) => commands.zrevrangebyscore(key(set), below, '-inf', 'LIMIT', 0, limit),
    range: (set, limit) => commands.zrange(key(set), 0, String((limit ?? 0) - 1)),
    above: (set, score) => commands.zrangebyscore(key(set), `(${score}`, '+inf'),
    count: (set) => commands.zcard(key(set)),
    hash: (name) => commands.hgetall(key(name)),
    async hashes(names) {
      if (names.length === 0) return [];
      const pipeline = commands.pipeline();
      for (const name of names) pipeline.hgetall(key(name));
      const replies = (await pipeline.exec()) ?? [];
      return replies.map(([error, value]) => {
        if (error !== null) throw error;
        return Object.entries(value as Record<string, string>).flat();
      });
    },
    field: (name, field) => commands.hget(key(name), field),
    async setField(name, field, value) {
      await commands.hset(key(name), field, value);
    },
    async deleteFields(name, fields) {
      await commands.hdel(key(name), ...fields);
    },
    countFields: (name) => commands.hlen(key(name)),
    members: (set) => commands.smembers(key(set)),
    someMembers: (set, limit) => commands.srandmember(key(set), limit),
    async removeMembers(set, members) {
      await commands.srem(key(set), ...members);
    },
    publish(message) {
      commands.publish(key('changes'), message).catch(onError);
    },
    onMessage(heard) {
      listener = heard;
    },
    async close() {
      subscriber.disconnect();
      await commands.quit().catch(() => commands.disconnect());
    },
  };
}
