import { VibeError } from './vibe-error.js';

/** The disk has no room for what was to be written. */
export class DiskFullError extends VibeError {
  /** Folder on the disk in question. */
  readonly path: string;
  /** Bytes wanted. */
  readonly needed: number;
  /** Bytes free. */
  readonly available: number;

  constructor(details: { path: string; needed: number; available: number; cause?: unknown }) {
    super(
      'VIBE_DISK_FULL',
      `Expected ${details.needed} free bytes for ${details.path} but received ${details.available}`,
      { cause: details.cause },
    );
    this.path = details.path;
    this.needed = details.needed;
    this.available = details.available;
  }
}
