import type { SharedState } from './shared-state.js';

/** Names kept at most, of buckets and of what is remembered; those that were longest unused are forgotten first. */
const MAX_NAMES = 10_000;

/**
 * Shared state of one process, in its memory.
 * @param options.now Milliseconds. Default: a clock that never jumps.
 */
export function createMemorySharedState(options: { now?: () => number } = {}): SharedState {
  const { now = () => performance.now() } = options;
  const buckets = new Map<string, { tokens: number; at: number }>();
  const remembered = new Map<string, number>();
  return {
    async takeToken({ name, limit, windowSeconds }) {
      const at = now();
      const bucket = buckets.get(name) ?? { tokens: limit, at };
      const tokens = Math.min(limit, bucket.tokens + ((at - bucket.at) / 1000) * (limit / windowSeconds));
      const taken = tokens >= 1;
      const left = taken ? tokens - 1 : tokens;
      setNewest(buckets, name, { tokens: left, at });
      return { taken, left };
    },
    async remember(name, { seconds }) {
      setNewest(remembered, name, now() + seconds * 1000);
    },
    async remembers(name) {
      return (remembered.get(name) ?? 0) > now();
    },
    async close() {},
  };
}

/** Sets an entry so that the map stays in the order of use, and bounded. */
function setNewest<Value>(map: Map<string, Value>, name: string, value: Value): void {
  map.delete(name);
  map.set(name, value);
  const [oldest] = map.keys();
  if (map.size > MAX_NAMES && oldest !== undefined) map.delete(oldest);
}
