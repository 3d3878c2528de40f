import { ApiError } from '../api-error.js';
import type { StreamCounter } from '../webhook-parts.js';

/** Bounds the requests that a caller keeps waiting at a time. */
export function createStreamCounter(limit: number): StreamCounter {
  const counts = new Map<string, number>();
  return {
    open({ name }) {
      const count = counts.get(name) ?? 0;
      if (count >= limit) {
        const message = `Expected at most ${limit} open streams but received one more`;
        throw new ApiError({ status: 429, type: 'rate_limit_error', code: 'too_many_streams', message, retryAfter: 5 });
      }
      counts.set(name, count + 1);
      let ended = false;
      return () => {
        if (ended) return;
        ended = true;
        const left = (counts.get(name) ?? 1) - 1;
        if (left === 0) counts.delete(name);
        else counts.set(name, left);
      };
    },
  };
}
