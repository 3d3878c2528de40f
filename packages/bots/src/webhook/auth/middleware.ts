import { randomBytes } from 'node:crypto';
import type { SharedState } from '@vibe-edit/core';
import type { Context, MiddlewareHandler } from 'hono';
import { ApiError } from '../api-error.js';
import type { ByteLease } from '../http/byte-budget.js';
import type { WebhookMetrics } from '../operations/metrics.js';
import type { WebhookLimits } from '../webhook-limits.js';
import type { WebhookLogger } from '../webhook-options.js';
import type { WebhookEnv } from '../webhook-parts.js';
import type { Authenticate } from './authenticate.js';
import { createRateLimiter, type RateState } from './rate-limiter.js';

export function newRequestId(): string {
  return `req_${randomBytes(12).toString('hex')}`;
}

/** Gives each request its number, its share of memory, its log line and its place in the metrics. */
export function createOpenMiddleware(options: {
  openLease: () => ByteLease;
  logger: WebhookLogger | undefined;
  metrics: WebhookMetrics | undefined;
}): MiddlewareHandler<WebhookEnv> {
  const { openLease, logger, metrics } = options;
  return async (c, next) => {
    const started = performance.now();
    const lease = openLease();
    const requestId = newRequestId();
    c.set('requestId', requestId);
    c.set('lease', lease);
    c.set('bodyRead', false);
    c.set('logFields', {});
    try {
      await next();
    } finally {
      lease.release();
      c.header('x-request-id', requestId);
      c.header('x-content-type-options', 'nosniff');
      const milliseconds = performance.now() - started;
      const { method } = c.req;
      const { status } = c.res;
      const route = routeOf(c.req.path);
      metrics?.request({ method, route, status }, milliseconds / 1000);
      const caller = c.get('caller')?.name;
      const fields = { requestId, method, route, status, ms: Math.round(milliseconds), ...(caller && { caller }) };
      logger?.info({ ...fields, ...c.get('logFields') }, 'request');
    }
  };
}

/**
 * The path as it was registered, e.g. `/v1/jobs/:id`: without the mount in front and without what a caller wrote into it. Told by the
 * path alone, for the application around may run on another copy of Hono, whose contexts tell this one nothing of their routes.
 */
function routeOf(path: string): string {
  const at = path.indexOf('/v1/');
  if (at < 0) return path.slice(path.lastIndexOf('/'));
  return path
    .slice(at)
    .replace(/^\/v1\/jobs\/[^/]+/, '/v1/jobs/:id')
    .replace(/\/result\/[^/]+$/, '/result/:index')
    .replace(/^\/v1\/models\/.+$/s, '/v1/models/:id');
}

type RateEntry = readonly [name: string, windowSeconds: number, state: RateState];

/** Lets callers through whom the authentication knows, as often as their limits allow. */
export function createCallerMiddleware(options: {
  authenticate: Authenticate;
  limits: Pick<WebhookLimits, 'requestsPerMinute' | 'jobsPerHour'>;
  shared: SharedState;
}): (route?: { job?: boolean }) => MiddlewareHandler<WebhookEnv> {
  const { authenticate, limits, shared } = options;
  const requests = createRateLimiter({ shared, name: 'requests', windowSeconds: 60 });
  const jobs = createRateLimiter({ shared, name: 'jobs', windowSeconds: 3600 });
  return ({ job = false } = {}) =>
    async (c, next) => {
      const caller = await authenticate(c.req.raw);
      c.set('caller', caller);
      const own = { ...limits, ...caller.limits };
      const request = await requests.take(caller.name, own.requestsPerMinute);
      const states: RateEntry[] = [[requests.name, requests.windowSeconds, request]];
      if (job && request.allowed) {
        states.push([jobs.name, jobs.windowSeconds, await jobs.take(caller.name, own.jobsPerHour)]);
      }
      setRateHeaders(c, states);
      const over = states.find(([, , { allowed }]) => !allowed);
      if (over !== undefined) throw overLimit(over);
      await next();
      // An answer made apart, such as a stream, has none of the headers set before it.
      setRateHeaders(c, states);
    };
}

/** `RateLimit-Policy` and `RateLimit` as draft-ietf-httpapi-ratelimit-headers has them. */
function setRateHeaders(c: Context, states: readonly RateEntry[]): void {
  const list = (format: (entry: RateEntry) => string): string => states.map(format).join(', ');
  c.header(
    'ratelimit-policy',
    list(([name, window, { limit }]) => `"${name}";q=${limit};w=${window}`),
  );
  c.header(
    'ratelimit',
    list(([name, , { remaining, resetSeconds }]) => `"${name}";r=${remaining};t=${resetSeconds}`),
  );
}

function overLimit([name, window, { limit, resetSeconds }]: RateEntry): ApiError {
  return new ApiError({
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    message: `Expected at most ${limit} ${name} in ${window} seconds but received one more`,
    retryAfter: resetSeconds,
  });
}
