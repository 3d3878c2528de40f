import { VibeError } from './vibe-error.js';

/** A blob has more bytes than the store takes. Nothing of it is kept. */
export class BlobTooLargeError extends VibeError {
  /** Bytes. */
  readonly limit: number;

  constructor(details: { limit: number }) {
    super('VIBE_BLOB_TOO_LARGE', `Expected a blob of at most ${details.limit} bytes but received more`);
    this.limit = details.limit;
  }
}
