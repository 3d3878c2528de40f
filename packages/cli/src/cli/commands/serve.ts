import { join, resolve } from 'node:path';
import { createWebhook, isLoopbackHost, type Webhook } from '@vibe-edit/bots/webhook';
import { createPlayground } from '@vibe-edit/playground';
import type { CliIo } from '../cli-io.js';
import { write } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import { type ApiKeyFolder, createApiKeyFolder } from '../serve/api-key-folder.js';
import { keptCallbackSecret } from '../serve/data-folder.js';
import { type HttpServer, listen } from '../serve/http-server.js';
import { MissingApiKeyError } from '../serve/missing-api-key-error.js';
import { modelOf } from '../serve/model-of.js';
import { openSharedState } from '../serve/open-queue.js';
import { readSettings } from '../serve/read-settings.js';
import { openService, type Service, untilEnd } from '../serve/service.js';
import type { Settings } from '../serve/settings-schema.js';
import type { Services } from '../services.js';

/** Seconds in which those who wait for a job that has just finished get its result, and requests under way their answer. */
const LAST_ANSWERS_SECONDS = 2;

/** `vibe-edit serve`: until the process is told to end. */
export async function serve({
  options,
  io,
  services,
}: {
  options: Readonly<Record<string, unknown>>;
  io: CliIo;
  services: Services;
}): Promise<CommandOutcome> {
  const settings = await readSettings({ flags: options, environment: io.environment, cwd: io.cwd });
  const { host, port } = settings;
  const data = resolve(io.cwd, settings.data);
  const keys = createApiKeyFolder(join(data, 'keys'));
  const hasKeys = (await keys.list()).length > 0;
  if (!hasKeys && !isLoopbackHost(host)) throw new MissingApiKeyError({ host, data: settings.data });

  const service = await openService({ settings, io, services });
  const { log } = service;
  try {
    const webhook = await openWebhook({ settings, service, data, keys: hasKeys ? keys : undefined });
    let server: HttpServer | undefined;
    try {
      server = await listen({ fetch: await withPage(webhook, settings), host, port, log });
      service.work();
      const { concurrency } = settings;
      log.info({ url: server.url, keys: hasKeys, concurrency, queue: settings.redis ? 'redis' : 'file' }, 'listening');
      if (io.stderr.isTTY) await write(io.stderr, `${server.url}\n`);
      await untilEnd(io.signal);
      server.stopListening();
      await service.drain();
      await server.settled(LAST_ANSWERS_SECONDS);
    } finally {
      await webhook.close();
      await server?.settled(LAST_ANSWERS_SECONDS);
      await server?.close();
    }
  } finally {
    await service.close();
  }
  log.info({}, 'ended');
  return { document: {} };
}

async function openWebhook(options: {
  settings: Settings;
  service: Service;
  data: string;
  /** None: whoever calls the server as localhost. */
  keys: ApiKeyFolder | undefined;
}): Promise<Webhook> {
  const { settings, service, data, keys } = options;
  const { requestsPerMinute, jobsPerHour, maxImageBytes, maxPixels, maxImages, maxSteps, maxSide, waitSeconds } =
    settings;
  const { publicUrl, corsOrigins, allowedAddresses, metrics, logInstructions } = settings;
  const callbackSecret = settings.callbackSecret ?? (await keptCallbackSecret(data));
  const shared = await openSharedState(settings, (error) => service.log.error({ err: error }, 'shared state'));
  const webhook = await createWebhook({
    queue: service.queue,
    blobs: service.blobs,
    shared,
    model: modelOf(settings.checkpoint, service.checkpoint),
    auth: keys === undefined ? { local: true } : { keys: () => keys.list() },
    limits: {
      requestsPerMinute,
      jobsPerHour,
      maxImageBytes,
      maxBodyBytes: 2 * maxImageBytes,
      maxPixels,
      maxImages,
      maxSteps,
      maxSide,
      waitSeconds,
    },
    fetch: { allowedAddresses },
    callbacks: { secret: callbackSecret },
    cors: { origins: corsOrigins },
    metrics,
    logger: service.log,
    logInstructions,
    ...(publicUrl !== undefined && { publicUrl }),
  }).catch(async (error: unknown) => {
    await shared.close();
    throw error;
  });
  return {
    ...webhook,
    async close() {
      await webhook.close();
      await shared.close();
    },
  };
}

/** The API, with the page at `/` in front of it. */
async function withPage(
  { app }: Webhook,
  { playground }: Settings,
): Promise<(request: Request) => Response | Promise<Response>> {
  if (!playground) return (request) => app.fetch(request);
  const page = await createPlayground();
  return (request) => {
    const { pathname } = new URL(request.url);
    return pathname === '/' || pathname.startsWith('/playground/') ? page(request) : app.fetch(request);
  };
}
