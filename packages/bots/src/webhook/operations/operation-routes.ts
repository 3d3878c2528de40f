import type { Hono, MiddlewareHandler } from 'hono';
import { ApiError } from '../api-error.js';
import { queueUser } from '../jobs/own-job.js';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';
import type { WebhookMetrics } from './metrics.js';

export interface OperationRoutesOptions {
  /** None: there is no `/metrics`. */
  metrics: WebhookMetrics | undefined;
  metricsFor: 'callers' | 'anybody';
  /** How callers show who they are, for pages that ask for a key. */
  authentication: 'api_key' | 'local' | 'other';
}

/** Adds `/healthz`, `/readyz`, `/metrics`, `/v1/info`, `/v1/queue` and `/v1/callback-secret`. */
export function addOperationRoutes(app: Hono<WebhookEnv>, parts: WebhookParts, options: OperationRoutesOptions): void {
  const { queue, model, limits, callbackSigner } = parts;
  const { metrics, metricsFor, authentication } = options;

  app.get('/healthz', parts.open, (c) => c.json({ status: 'ok' }));

  app.get('/readyz', parts.open, async (c) => {
    const why = parts.closing.aborted
      ? 'closing'
      : await queue.stats().then(
          () => undefined,
          () => 'queue',
        );
    return why === undefined ? c.json({ status: 'ready' }) : c.json({ status: 'not_ready', reason: why }, 503);
  });

  if (metrics !== undefined) {
    const anybody: MiddlewareHandler<WebhookEnv> = (_, next) => next();
    app.get('/metrics', parts.open, metricsFor === 'anybody' ? anybody : parts.callers(), async (c) => {
      const { body, contentType } = await metrics.render();
      return c.body(body, 200, { 'content-type': contentType });
    });
  }

  app.get('/v1/info', parts.open, (c) =>
    c.json({
      model: { id: model.id, defaults: model.defaults ?? {} },
      authentication,
      callbacks: callbackSigner !== undefined,
      limits: {
        max_body_bytes: limits.maxBodyBytes,
        max_image_bytes: limits.maxImageBytes,
        max_pixels: limits.maxPixels,
        max_instruction_length: limits.maxInstructionLength,
        max_images: limits.maxImages,
        max_steps: limits.maxSteps,
        max_side: limits.maxSide,
      },
    }),
  );

  app.get('/v1/queue', parts.open, parts.callers(), async (c) => {
    const stats = await queue.stats();
    const user = queueUser(c.get('caller'));
    const own = stats.users.find((entry) => entry.user === user);
    return c.json({
      queued: stats.states.queued,
      running: stats.states.running,
      oldest_wait_seconds: stats.oldestWaitSeconds,
      workers: stats.workers,
      own: { queued: own?.queued ?? 0, running: own?.running ?? 0 },
    });
  });

  app.get('/v1/callback-secret', parts.open, parts.callers(), (c) => {
    if (callbackSigner === undefined) {
      const message = 'This server sends no callbacks: it has no secret to sign them with';
      throw new ApiError({ status: 404, type: 'not_found_error', code: 'callbacks_off', message });
    }
    c.header('cache-control', 'no-store');
    return c.json({ secret: callbackSigner.secretOf(queueUser(c.get('caller'))) });
  });
}
