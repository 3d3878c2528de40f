import { VibeError } from './vibe-error.js';

/** A download failed for good: refused by the server, cut off too often, or not what the listing promised. */
export class DownloadError extends VibeError {
  /** What was asked for; without the query, which may hold a signature. */
  readonly url: string;
  /** HTTP status of the last answer, where there was one. */
  readonly status: number | undefined;

  constructor(details: {
    url: string;
    status?: number;
    expected: string;
    received: string;
    hint?: string;
    cause?: unknown;
  }) {
    const hint = details.hint === undefined ? '' : `. ${details.hint}`;
    super(
      'VIBE_DOWNLOAD_FAILED',
      `Expected ${details.expected} from ${details.url} but received ${details.received}${hint}`,
      {
        cause: details.cause,
      },
    );
    this.url = details.url;
    this.status = details.status;
  }
}
