import { VibeError } from '@vibe-edit/core/runtime';

/** A result cannot be written where it should go. */
export class OutputError extends VibeError {
  readonly path: string;

  constructor(details: { path: string; message: string; cause?: unknown }) {
    super('VIBE_OUTPUT_UNWRITABLE', `${details.path}: ${details.message}`, { cause: details.cause });
    this.path = details.path;
  }
}
