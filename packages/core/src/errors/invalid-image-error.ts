import { VibeError } from './vibe-error.js';

/** A picture cannot be read: damaged, too large, or of a format that is not taken. */
export class InvalidImageError extends VibeError {
  readonly expected: string;
  readonly received: string;

  constructor(details: { expected: string; received: string; hint?: string; cause?: unknown }) {
    const hint = details.hint === undefined ? '' : `. ${details.hint}`;
    super('VIBE_INVALID_IMAGE', `Expected ${details.expected} but received ${details.received}${hint}`, {
      cause: details.cause,
    });
    this.expected = details.expected;
    this.received = details.received;
  }
}
