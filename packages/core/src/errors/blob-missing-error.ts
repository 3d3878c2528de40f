import { VibeError } from './vibe-error.js';

/** The blob store has nothing under this key: never stored, or deleted since. */
export class BlobMissingError extends VibeError {
  readonly key: string;

  constructor(details: { key: string; cause?: unknown }) {
    super(
      'VIBE_BLOB_MISSING',
      `Expected a stored blob but received the key ${JSON.stringify(details.key.slice(0, 64))}`,
      {
        cause: details.cause,
      },
    );
    this.key = details.key;
  }
}
