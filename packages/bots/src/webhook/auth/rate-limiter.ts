/** How a limit stands after a request. */
export interface RateState {
  readonly allowed: boolean;
  /** Requests allowed in a window. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until one more is allowed, or the whole limit if it is untouched. */
  readonly resetSeconds: number;
}

/** Users kept at most; the longest unseen are forgotten first, which can only be to their advantage. */
const MAX_USERS = 10_000;

/**
 * Counts requests by user: a bucket that holds as many as the limit and refills evenly over the window, so that a user who has
 * been quiet may send them all at once.
 *
 * @param options.now Milliseconds. Default: a clock that never jumps.
 */
export function createRateLimiter(options: { windowSeconds: number; now?: () => number }) {
  const { windowSeconds, now = () => performance.now() } = options;
  const buckets = new Map<string, { tokens: number; at: number }>();

  return {
    windowSeconds,
    /** Counts one request of a user, unless it is over the limit. */
    take(user: string, limit: number): RateState {
      const at = now();
      const perSecond = limit / windowSeconds;
      const bucket = buckets.get(user) ?? { tokens: limit, at };
      const tokens = Math.min(limit, bucket.tokens + ((at - bucket.at) / 1000) * perSecond);
      const allowed = tokens >= 1;
      const left = allowed ? tokens - 1 : tokens;
      // Written anew, so that the map stays in the order of use.
      buckets.delete(user);
      buckets.set(user, { tokens: left, at });
      if (buckets.size > MAX_USERS) {
        const [oldest] = buckets.keys();
        if (oldest !== undefined) buckets.delete(oldest);
      }
      const wanted = allowed ? limit - left : 1 - left;
      return { allowed, limit, remaining: Math.floor(left), resetSeconds: Math.ceil(wanted / perSecond) };
    },
  };
}
