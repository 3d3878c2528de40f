import { VibeError } from './vibe-error.js';

/** Something was used after its `close()`. */
export class ClosedError extends VibeError {
  constructor(what: string) {
    super('VIBE_CLOSED', `Expected an open ${what} but it was closed`);
  }
}
