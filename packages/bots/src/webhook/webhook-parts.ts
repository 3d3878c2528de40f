import type { BlobStore, JobQueue } from '@vibe-edit/core';
import type { MiddlewareHandler } from 'hono';
import type { CallbackSigner } from './callback/callback-signer.js';
import type { GuardedFetch } from './fetch/guarded-fetch.js';
import type { ByteLease } from './http/byte-budget.js';
import type { WebhookLimits } from './webhook-limits.js';
import type { Caller, WebhookModel } from './webhook-options.js';

/** What a request carries on its way through the webhook. */
export interface WebhookEnv {
  Variables: {
    requestId: string;
    caller: Caller;
    lease: ByteLease;
    /** Whether the body was read to its end. */
    bodyRead: boolean;
    /** What the log line of the request says besides. */
    logFields: Record<string, unknown>;
  };
}

/** What the route groups are put together from. */
export interface WebhookParts {
  readonly queue: JobQueue;
  readonly blobs: BlobStore;
  readonly model: WebhookModel;
  readonly limits: WebhookLimits;
  readonly guardedFetch: GuardedFetch;
  /** None: `callback_url` is refused. */
  readonly callbackSigner: CallbackSigner | undefined;
  readonly publicUrl: string | undefined;
  readonly logInstructions: boolean;
  /** Counts the open streams of each caller. */
  readonly streams: StreamCounter;
  /** Aborted when the webhook closes: streams end. */
  readonly closing: AbortSignal;
  /** In front of every route. */
  readonly open: MiddlewareHandler<WebhookEnv>;
  /** In front of routes for callers; `job`: it also counts as a new job. */
  readonly callers: (options?: { job?: boolean }) => MiddlewareHandler<WebhookEnv>;
}

export interface StreamCounter {
  /**
   * Counts one more stream; the function it gives ends it, and may be called twice.
   * @throws {ApiError} 429 when the caller has as many as one may have.
   */
  open(caller: Caller): () => void;
}
