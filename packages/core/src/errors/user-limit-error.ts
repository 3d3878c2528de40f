import { VibeError } from './vibe-error.js';

/** A user has as many unfinished jobs as one user may have. Others can still submit; this one has to wait. */
export class UserLimitError extends VibeError {
  readonly user: string;
  readonly limit: number;

  constructor(details: { user: string; limit: number }) {
    super('VIBE_USER_LIMIT', `Expected at most ${details.limit} unfinished jobs of one user but received one more`);
    this.user = details.user;
    this.limit = details.limit;
  }
}
