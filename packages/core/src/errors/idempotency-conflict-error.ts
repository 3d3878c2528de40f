import { VibeError } from './vibe-error.js';

/** A user's idempotency key came again with another request than the first time. */
export class IdempotencyConflictError extends VibeError {
  readonly idempotencyKey: string;
  /** The job that the key stands for. */
  readonly id: string;

  constructor(details: { idempotencyKey: string; id: string }) {
    super(
      'VIBE_IDEMPOTENCY_CONFLICT',
      `Expected the request that the idempotency key first came with but received another one`,
    );
    this.idempotencyKey = details.idempotencyKey;
    this.id = details.id;
  }
}
