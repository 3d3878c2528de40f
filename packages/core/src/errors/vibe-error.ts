/**
 * Base of every error this project throws on purpose. `code` is stable across versions: compare it, not the message.
 */
export class VibeError extends Error {
  /** Stable identifier, e.g. `VIBE_INVALID_ARGUMENT`. */
  readonly code: string;

  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}
