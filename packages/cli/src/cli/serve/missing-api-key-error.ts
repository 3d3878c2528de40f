import { VibeError } from '@vibe-edit/core/runtime';

/** A server that others can reach was to be started without an API key. */
export class MissingApiKeyError extends VibeError {
  /** Address that was to be listened on. */
  readonly host: string;

  constructor(details: { host: string; data: string }) {
    const data = details.data === 'vibe-edit-data' ? '' : ` --data ${details.data}`;
    super(
      'VIBE_API_KEY_MISSING',
      `Expected an API key for a server on ${details.host}, as anybody who reaches it could use it, but there is none. ` +
        `Make one: vibe-edit keys create NAME${data}`,
    );
    this.host = details.host;
  }
}
