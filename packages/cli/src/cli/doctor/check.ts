/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `warning`: works within limits. `unavailable`: cannot be used, and need not be. `failed`: nothing works without it. */
  readonly status: 'ok' | 'warning' | 'unavailable' | 'failed';
  /** What was found; where something is wrong, what that is. */
  readonly detail: string;
}
