import { VibeError } from '@vibe-edit/core/runtime';

/** A picture named on the command line is not there or cannot be read. */
export class InputError extends VibeError {
  /** Path or pattern as it was given. */
  readonly path: string;

  constructor(details: { path: string; expected: string; received: string; hint?: string; cause?: unknown }) {
    const hint = details.hint === undefined ? '' : `. ${details.hint}`;
    super(
      'VIBE_INPUT_UNREADABLE',
      `Expected ${details.expected} for ${details.path} but received ${details.received}${hint}`,
      { cause: details.cause },
    );
    this.path = details.path;
  }
}
