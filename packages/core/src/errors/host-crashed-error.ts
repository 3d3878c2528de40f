import { VibeError } from './vibe-error.js';

/** The child process that holds the sessions died. The work in flight is lost; the next call starts a new child. */
export class HostCrashedError extends VibeError {
  readonly exitCode: number | null;
  readonly signal: string | null;

  constructor(details: { exitCode: number | null; signal: string | null; cause?: unknown }) {
    const how = details.signal === null ? `exit code ${details.exitCode}` : `signal ${details.signal}`;
    super('VIBE_HOST_CRASHED', `The process that runs the model died (${how}); the next call starts a new one`, {
      cause: details.cause,
    });
    this.exitCode = details.exitCode;
    this.signal = details.signal;
  }
}
