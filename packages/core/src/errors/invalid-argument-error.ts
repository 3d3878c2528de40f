import { VibeError } from './vibe-error.js';

/** A caller's value is not what the function takes. */
export class InvalidArgumentError extends VibeError {
  /** Which argument, e.g. `numInferenceSteps`. */
  readonly argument: string;
  readonly expected: string;
  readonly received: string;

  constructor(details: { argument: string; expected: string; received: string; cause?: unknown }) {
    super(
      'VIBE_INVALID_ARGUMENT',
      `Expected ${details.expected} for ${details.argument} but received ${details.received}`,
      { cause: details.cause },
    );
    this.argument = details.argument;
    this.expected = details.expected;
    this.received = details.received;
  }
}
