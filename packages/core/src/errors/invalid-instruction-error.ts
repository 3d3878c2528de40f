import { VibeError } from './vibe-error.js';

/** An instruction cannot be given to the model, e.g. because it holds the image placeholder token. */
export class InvalidInstructionError extends VibeError {
  readonly instruction: string;

  constructor(details: { instruction: string; expected: string; received: string }) {
    super('VIBE_INVALID_INSTRUCTION', `Expected ${details.expected} but received ${details.received}`);
    this.instruction = details.instruction;
  }
}
