import { VibeError } from './vibe-error.js';

/** A job ran longer than its worker allows. */
export class JobTimeoutError extends VibeError {
  readonly seconds: number;

  constructor(details: { seconds: number }) {
    super('VIBE_JOB_TIMEOUT', `Expected the job to end within ${details.seconds} seconds but it did not`);
    this.seconds = details.seconds;
  }
}
