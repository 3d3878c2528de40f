import { createMemorySharedState } from '@vibe-edit/core';
import { Hono, type MiddlewareHandler } from 'hono';
import { cors } from 'hono/cors';
import { ApiError, notFound } from './api-error.js';
import { createAuthenticate } from './auth/authenticate.js';
import { createCallerMiddleware, createOpenMiddleware, newRequestId } from './auth/middleware.js';
import { createStreamCounter } from './auth/stream-counter.js';
import { createCallbackSigner } from './callback/callback-signer.js';
import { deliverCallbacks } from './callback/deliver-callbacks.js';
import type { Webhook } from './create-webhook.js';
import { errorBody, errorHeaders, toApiError } from './error-response.js';
import { createGuardedFetch } from './fetch/guarded-fetch.js';
import { createByteBudget } from './http/byte-budget.js';
import { refuseUnread } from './http/refuse-unread.js';
import { addJobRoutes } from './jobs/job-routes.js';
import { queueUser } from './jobs/own-job.js';
import { addImageRoutes } from './openai/image-routes.js';
import { addModelRoutes } from './openai/model-routes.js';
import { addDocumentationRoutes } from './openapi/documentation-routes.js';
import { createMetrics, createMetricsIfInstalled } from './operations/metrics.js';
import { addOperationRoutes } from './operations/operation-routes.js';
import { resolveLimits } from './webhook-limits.js';
import type { WebhookOptions } from './webhook-options.js';
import type { WebhookEnv, WebhookParts } from './webhook-parts.js';

/** What a path may be called with; who may GET may also HEAD. */
const METHODS = ['GET', 'POST', 'DELETE'];

/** Headers that pages of other sites may read. */
const EXPOSED = [
  'location',
  'retry-after',
  'x-request-id',
  'x-job-id',
  'x-warnings',
  'ratelimit',
  'ratelimit-policy',
  'content-range',
];

/** Puts the webhook together; `createWebhook` is the way in. */
export async function composeWebhook(options: WebhookOptions): Promise<Webhook> {
  const { queue, blobs, auth, logger, shared = createMemorySharedState() } = options;
  const limits = resolveLimits(options.limits);
  const origins = options.cors?.origins ?? [];
  const authenticate = createAuthenticate(auth, origins);
  const callbackSigner = options.callbacks && createCallbackSigner(options.callbacks);
  const budget = createByteBudget(limits.maxBytesInFlight);
  const metricsOptions = { queue, bytesInFlight: () => budget.used };
  const metricsFor = options.metrics ?? 'callers';
  const metrics =
    metricsFor === 'off'
      ? undefined
      : await (options.metrics === undefined ? createMetricsIfInstalled : createMetrics)(metricsOptions);
  const guardedFetch = createGuardedFetch({
    onRefusedHost: (refusal) => logger?.debug?.(refusal, 'host refused'),
    ...options.fetch,
  });
  const closing = new AbortController();

  const open = createOpenMiddleware({ openLease: () => budget.open(), logger, metrics });
  const crossOrigin = origins.length === 0 ? undefined : corsMiddleware(origins);
  const parts: WebhookParts = {
    queue,
    blobs,
    model: options.model,
    limits,
    guardedFetch,
    callbackSigner,
    publicUrl: options.publicUrl,
    logInstructions: options.logInstructions ?? false,
    streams: createStreamCounter(limits.maxStreams),
    closing: closing.signal,
    open: crossOrigin === undefined ? open : (c, next) => crossOrigin(c, async () => void (await open(c, next))),
    callers: createCallerMiddleware({ authenticate, limits, shared }),
  };

  const app = new Hono<WebhookEnv>();
  app.onError((thrown, c) => {
    const error = toApiError(thrown);
    const requestId = c.get('requestId');
    if (error.status >= 500) logger?.error({ requestId, err: error.cause ?? error }, 'request failed');
    const challenge = error.status === 401 ? { 'www-authenticate': 'Bearer' } : {};
    const headers = { ...errorHeaders(error), ...challenge };
    if (c.req.method === 'POST' && !c.get('bodyRead')) {
      return refuseUnread(c, { error: errorBody(error), status: error.status, headers });
    }
    return c.json(errorBody(error), error.status as 400, headers);
  });
  app.notFound((c) => {
    const methods = METHODS.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
    const error = methods.length === 0 ? notFound('Nothing is here') : otherMethod(methods, c.req.method);
    const allow = methods.length === 0 ? {} : { allow: methods.join(', ') };
    return c.json(errorBody(error), error.status as 404, { ...allow, 'x-request-id': newRequestId() });
  });
  if (crossOrigin !== undefined) app.options('/v1/*', crossOrigin);
  addOperationRoutes(app, parts, {
    metrics,
    metricsFor: metricsFor === 'anybody' ? 'anybody' : 'callers',
    authentication: 'keys' in auth ? 'api_key' : 'local' in auth ? 'local' : 'other',
  });
  addJobRoutes(app, parts);
  addImageRoutes(app, parts);
  addModelRoutes(app, parts);
  addDocumentationRoutes(app, parts);

  const delivery =
    callbackSigner &&
    deliverCallbacks({
      ...options.callbacks,
      queue,
      shared,
      guardedFetch,
      signer: callbackSigner,
      logger,
      onOutcome: (outcome) => metrics?.callback(outcome),
    });

  return {
    app,
    callbackSecret: (caller) => callbackSigner?.secretOf(queueUser({ name: caller })),
    async close() {
      closing.abort();
      await delivery?.close();
      await guardedFetch.close();
    },
  };
}

function otherMethod(methods: readonly string[], received: string): ApiError {
  const message = `Expected ${methods.join(' or ')} but received ${received}`;
  return new ApiError({ status: 405, type: 'invalid_request_error', code: 'method_not_allowed', message });
}

function corsMiddleware(origins: readonly string[]): MiddlewareHandler<WebhookEnv> {
  return cors({
    origin: [...origins],
    allowMethods: ['GET', 'POST', 'DELETE'],
    allowHeaders: ['authorization', 'content-type', 'idempotency-key', 'last-event-id', 'range'],
    exposeHeaders: EXPOSED,
    maxAge: 3600,
  });
}
