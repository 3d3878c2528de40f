import type { Hono } from 'hono';
import { loadOptional } from './load-optional.js';
import type { WebhookOptions } from './webhook-options.js';
import type { WebhookEnv } from './webhook-parts.js';

/** The HTTP API, ready to be mounted. */
export interface Webhook {
  /** Mount it with `app.route('/', webhook.app)`, or serve `webhook.app.fetch`. It answers nothing but its own paths. */
  readonly app: Hono<WebhookEnv>;
  /** The secret that a caller checks the signatures of callbacks with; the caller can also ask `/v1/callback-secret`. */
  callbackSecret(caller: string): string | undefined;
  /** Ends streams, waiting requests and callbacks under way; `/readyz` says no. Jobs go on. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Makes the HTTP API over a queue: jobs, OpenAI's images API, callbacks, health, metrics and its own documentation. Needs `hono`.
 *
 * @throws {InvalidArgumentError} when an option is not what it should be.
 * @throws {MissingPackageError} when `hono` is not installed, or `prom-client` where metrics are asked for.
 * @example
 * ```ts
 * import { createFolderBlobStore, createMemoryQueue, runJobs } from '@vibe-edit/core';
 * import { serve } from '@hono/node-server';
 * import { createEditor } from 'vibe-edit';
 *
 * const blobs = createFolderBlobStore({ folder: './pictures' });
 * const queue = createMemoryQueue({ blobs });
 * const worker = runJobs({ queue, blobs, editor: await createEditor() });
 * const webhook = await createWebhook({ queue, blobs, model: { id: 'vibe-edit-nano' }, auth: { local: true } });
 * serve({ fetch: webhook.app.fetch, hostname: '127.0.0.1', port: 8080 });
 * ```
 */
export async function createWebhook(options: WebhookOptions): Promise<Webhook> {
  const { composeWebhook } = await loadOptional(() => import('./compose-webhook.js'), {
    what: 'The webhook',
    packages: ['hono'],
  });
  return await composeWebhook(options);
}
