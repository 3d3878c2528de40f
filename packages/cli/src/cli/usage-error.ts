import { VibeError } from '@vibe-edit/core/runtime';

/** The command line asks for something that makes no sense. */
export class UsageError extends VibeError {
  constructor(message: string) {
    super('VIBE_USAGE', message);
  }
}
