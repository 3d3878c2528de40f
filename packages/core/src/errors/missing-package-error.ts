import { VibeError } from './vibe-error.js';

/** An optional package that this part needs is not installed, or cannot be loaded; the message says what to install. */
export class MissingPackageError extends VibeError {
  /** npm names. */
  readonly packages: readonly string[];

  constructor(details: { what: string; packages: readonly string[]; cause?: unknown }) {
    super(
      'VIBE_MISSING_PACKAGE',
      `${details.what} needs ${details.packages.join(' and ')}: npm install ${details.packages.join(' ')}`,
      { cause: details.cause },
    );
    this.packages = details.packages;
  }
}
