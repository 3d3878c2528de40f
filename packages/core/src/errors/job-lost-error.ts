import { VibeError } from './vibe-error.js';

/** The processes that ran a job ended without a result, as often as the queue tries. The job is not tried again. */
export class JobLostError extends VibeError {
  readonly attempts: number;

  constructor(details: { attempts: number }) {
    super('VIBE_JOB_LOST', `Expected a result but the job's worker was lost in each of ${details.attempts} attempts`);
    this.attempts = details.attempts;
  }
}
