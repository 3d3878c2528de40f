import { VibeError } from '@vibe-edit/core/runtime';

/** The queue cannot be opened: Redis does not answer, or refuses. */
export class QueueUnavailableError extends VibeError {
  constructor(details: { url: string; cause: unknown }) {
    const { host } = new URL(details.url);
    const reason = details.cause instanceof Error ? details.cause.message : String(details.cause);
    super('VIBE_QUEUE_UNAVAILABLE', `Expected a Redis at ${host} but: ${reason}`, { cause: details.cause });
  }
}
