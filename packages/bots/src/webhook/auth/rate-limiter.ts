import type { SharedState } from '@vibe-edit/core';
import { ApiError } from '../api-error.js';

/** How a limit stands after a request. */
export interface RateState {
  readonly allowed: boolean;
  /** Requests allowed in a window. */
  readonly limit: number;
  readonly remaining: number;
  /** Seconds until one more is allowed, or the whole limit if it is untouched. */
  readonly resetSeconds: number;
}

/**
 * Counts requests by user: a bucket that holds as many as the limit and refills evenly over the window, so that a user who has
 * been quiet may send them all at once.
 *
 * @param options.name What is counted.
 */
export function createRateLimiter(options: { shared: SharedState; name: string; windowSeconds: number }) {
  const { shared, name, windowSeconds } = options;
  return {
    name,
    windowSeconds,
    /**
     * Counts one request of a user, unless it is over the limit.
     * @throws {ApiError} 503 when what all servers count in cannot be reached.
     */
    async take(user: string, limit: number): Promise<RateState> {
      const { taken, left } = await shared
        .takeToken({ name: `${name} of ${user}`, limit, windowSeconds })
        .catch((cause: unknown): never => {
          const message = 'The server cannot count requests right now; try again soon';
          throw new ApiError({ status: 503, type: 'server_error', code: 'unavailable', message, retryAfter: 5, cause });
        });
      const wanted = taken ? limit - left : 1 - left;
      const resetSeconds = Math.ceil((wanted * windowSeconds) / limit);
      return { allowed: taken, limit, remaining: Math.floor(left), resetSeconds };
    },
  };
}
