import { VibeError } from './vibe-error.js';

/** No job has this id: it never had one, or the time that finished jobs are kept is over. */
export class UnknownJobError extends VibeError {
  readonly id: string;

  constructor(id: string) {
    super('VIBE_UNKNOWN_JOB', `Expected the id of a job that is kept but received ${JSON.stringify(id.slice(0, 64))}`);
    this.id = id;
  }
}
