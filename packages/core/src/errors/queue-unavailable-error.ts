import { VibeError } from './vibe-error.js';

/**
 * What a queue keeps its jobs in cannot be reached, or does not answer. It may come back by itself; what was asked for may have been
 * carried out all the same.
 */
export class QueueUnavailableError extends VibeError {
  /** @param details.where What should have answered, e.g. `a Redis at queue.internal:6379`. */
  constructor(details: { where: string; cause: unknown }) {
    const { where, cause } = details;
    const reason = cause instanceof Error ? cause.message : String(cause);
    super('VIBE_QUEUE_UNAVAILABLE', `Expected ${where} but: ${reason}`, { cause });
  }
}
