import type { ExitReason } from './exit-codes.js';

/** What a command leaves behind. */
export interface CommandOutcome {
  /** The `--json` document. */
  readonly document: Readonly<Record<string, unknown>>;
  /** What ended the command early, where something did; joins the document. */
  readonly error?: unknown;
  /** Default: what `error` says, else `ok`. */
  readonly reason?: ExitReason;
}
