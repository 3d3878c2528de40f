import { VibeError } from './vibe-error.js';

/** A function that ran in a worker thread threw, or its thread died. `cause` is what was thrown. */
export class OffloadError extends VibeError {
  /** URL of the module. */
  readonly module: string;
  /** Exported name of the function. */
  readonly functionName: string;

  constructor(details: { module: string; functionName: string; reason: string; cause?: unknown }) {
    super('VIBE_OFFLOAD_FAILED', `${details.functionName} of ${details.module}: ${details.reason}`, {
      cause: details.cause,
    });
    this.module = details.module;
    this.functionName = details.functionName;
  }
}
