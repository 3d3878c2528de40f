import { VibeError } from './vibe-error.js';

/** More work is waiting than the queue takes. Try again later or raise the limit. */
export class QueueFullError extends VibeError {
  readonly limit: number;

  constructor(details: { limit: number }) {
    super('VIBE_QUEUE_FULL', `Expected at most ${details.limit} waiting edits but received one more`);
    this.limit = details.limit;
  }
}
