import { VibeError } from './vibe-error.js';

/** Work was cancelled through its `AbortSignal`; `cause` is the signal's reason. */
export class AbortedError extends VibeError {
  constructor(reason?: unknown) {
    super('VIBE_ABORTED', 'The work was cancelled', { cause: reason });
  }
}

/** Throws an `AbortedError` when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw new AbortedError(signal.reason);
}
