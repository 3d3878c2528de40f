import { ApiError } from '../api-error.js';

/** One request's share of the memory that bodies may take. */
export interface ByteLease {
  /** @throws {ApiError} 503 when all requests together would take too much. */
  take(bytes: number): void;
  /** Gives back everything. Safe to call twice. */
  release(): void;
}

/** Bounds the memory that the bodies of all requests take together. */
export function createByteBudget(limit: number): { readonly used: number; open(): ByteLease } {
  let used = 0;
  return {
    get used() {
      return used;
    },
    open() {
      let own = 0;
      return {
        take(bytes) {
          if (used + bytes > limit) {
            const message = 'The server is receiving as many pictures as it can hold; try again soon';
            throw new ApiError({ status: 503, type: 'server_error', code: 'overloaded', message, retryAfter: 2 });
          }
          used += bytes;
          own += bytes;
        },
        release() {
          used -= own;
          own = 0;
        },
      };
    },
  };
}
