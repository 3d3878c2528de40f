/** A bucket of tokens: holds `limit`, and refills evenly over the window. */
export interface TokenBucket {
  /** Buckets of different names have nothing to do with each other. */
  readonly name: string;
  /** At least 1. */
  readonly limit: number;
  readonly windowSeconds: number;
}

/**
 * What all servers of one service have to agree on besides jobs: how often somebody called, what was given up. Small and short-lived; the
 * queue keeps what must not be lost.
 */
export interface SharedState {
  /**
   * Takes a token out of a bucket unless there is not a whole one.
   * @returns `left`: tokens that are in it now, with the part of the next one.
   */
  takeToken(bucket: TokenBucket): Promise<{ taken: boolean; left: number }>;
  /** Remembers a name for so many seconds from now. */
  remember(name: string, options: { seconds: number }): Promise<void>;
  remembers(name: string): Promise<boolean>;
  /** Frees connections. Safe to call twice. */
  close(): Promise<void>;
}
