import { VibeError } from '@vibe-edit/core/runtime';

/** What the command line tells the shell. All under 100, so that none looks like a signal's. */
export const EXIT_CODES = {
  /** All went well. */
  ok: 0,
  /** Something that should not happen: a defect of the program. */
  unexpected: 1,
  /** Arguments or options are wrong. */
  usage: 2,
  /** A picture cannot be read. */
  input: 3,
  /** The checkpoint cannot be found, or cannot be run. */
  checkpoint: 4,
  /** The backend cannot be used here, or it failed. */
  backend: 5,
  /** Cancelled by Ctrl-C or a signal. */
  cancelled: 6,
  /** A result cannot be written. */
  output: 7,
  /** A download failed. */
  download: 8,
  /** The server cannot listen, or the queue cannot be reached. */
  service: 9,
} as const;

export type ExitReason = keyof typeof EXIT_CODES;

const REASON_BY_ERROR_CODE: Readonly<Record<string, ExitReason>> = {
  VIBE_USAGE: 'usage',
  VIBE_INVALID_ARGUMENT: 'usage',
  VIBE_INVALID_INSTRUCTION: 'usage',
  VIBE_INPUT_UNREADABLE: 'input',
  VIBE_INVALID_IMAGE: 'input',
  VIBE_INVALID_CHECKPOINT: 'checkpoint',
  VIBE_BACKEND_FAILED: 'backend',
  VIBE_BACKEND_UNAVAILABLE: 'backend',
  VIBE_HOST_CRASHED: 'backend',
  VIBE_ABORTED: 'cancelled',
  VIBE_OUTPUT_UNWRITABLE: 'output',
  VIBE_DISK_FULL: 'output',
  VIBE_DOWNLOAD_FAILED: 'download',
  VIBE_API_KEY_MISSING: 'usage',
  VIBE_MISSING_PACKAGE: 'usage',
  VIBE_LISTEN_FAILED: 'service',
  VIBE_QUEUE_UNAVAILABLE: 'service',
};

/** Why an error ends the program; errors that nobody foresaw are `unexpected`. */
export function exitReason(error: unknown): ExitReason {
  const reason = error instanceof VibeError ? REASON_BY_ERROR_CODE[error.code] : undefined;
  return reason ?? 'unexpected';
}
