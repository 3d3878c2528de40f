import { createHmac } from 'node:crypto';
import { InvalidArgumentError } from '@vibe-edit/core';

/** Signs callbacks as https://www.standardwebhooks.com says. */
export interface CallbackSigner {
  /** The secret that a user of the queue checks signatures with: `whsec_` and base64. */
  secretOf(user: string): string;
  /** Headers of one attempt. `id` stays the same from attempt to attempt; `at`: milliseconds since 1970. */
  headers(message: { user: string; id: string; at: number; body: string }): Record<string, string>;
}

const MIN_SECRET_LENGTH = 24;

/**
 * Makes a signer from the server's own secret. Each caller gets a secret of its own made from it, so that none can sign for another.
 * @throws {InvalidArgumentError} when the secret is shorter than 24 bytes.
 */
export function createCallbackSigner(options: { secret: string }): CallbackSigner {
  const master = Buffer.from(options.secret);
  if (master.length < MIN_SECRET_LENGTH) {
    throw new InvalidArgumentError({
      argument: 'callbacks.secret',
      expected: `a secret of at least ${MIN_SECRET_LENGTH} bytes`,
      received: `${master.length} bytes`,
    });
  }
  const secret = (user: string): Buffer => createHmac('sha256', master).update(`callbacks of ${user}`).digest();
  return {
    secretOf: (user) => `whsec_${secret(user).toString('base64')}`,
    headers({ user, id, at, body }) {
      const timestamp = String(Math.floor(at / 1000));
      const signature = createHmac('sha256', secret(user)).update(`${id}.${timestamp}.${body}`).digest('base64');
      return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
    },
  };
}
