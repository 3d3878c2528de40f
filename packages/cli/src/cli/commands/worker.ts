import type { CliIo } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import { readSettings } from '../serve/read-settings.js';
import { openService, untilEnd } from '../serve/service.js';
import type { Services } from '../services.js';
import { UsageError } from '../usage-error.js';

/** `vibe-edit worker`: carries out jobs from Redis until the process is told to end. */
export async function worker({
  options,
  io,
  services,
}: {
  options: Readonly<Record<string, unknown>>;
  io: CliIo;
  services: Services;
}): Promise<CommandOutcome> {
  const settings = await readSettings({ flags: options, environment: io.environment, cwd: io.cwd });
  const { redis, concurrency, queueName } = settings;
  if (redis === undefined) {
    throw new UsageError('Expected the Redis that jobs come from: --redis URL or VIBE_REDIS');
  }
  if (concurrency === 0) throw new UsageError('Expected a concurrency of 1 or more: a worker with 0 does nothing');
  const service = await openService({ settings, io, services });
  try {
    service.work();
    service.log.info({ concurrency, queue: queueName }, 'working');
    await untilEnd(io.signal);
    await service.drain();
  } finally {
    await service.close();
  }
  service.log.info({}, 'ended');
  return { document: {} };
}
