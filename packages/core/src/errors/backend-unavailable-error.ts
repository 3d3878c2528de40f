import { VibeError } from './vibe-error.js';

/** A backend cannot be used on this machine; the message says what is missing and how to get it. */
export class BackendUnavailableError extends VibeError {
  readonly backend: string;

  constructor(details: { backend: string; reason: string; cause?: unknown }) {
    super('VIBE_BACKEND_UNAVAILABLE', `Backend ${details.backend} is not available: ${details.reason}`, {
      cause: details.cause,
    });
    this.backend = details.backend;
  }
}
