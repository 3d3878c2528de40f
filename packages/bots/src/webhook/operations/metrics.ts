import { JOB_STATES, type JobQueue, MissingPackageError } from '@vibe-edit/core';
import type { CallbackOutcome } from '../callback/deliver-callbacks.js';
import { loadOptional } from '../load-optional.js';

/** Counts what the webhook does, in Prometheus' form. */
export interface WebhookMetrics {
  /** One answered request. */
  request(labels: { method: string; route: string; status: number }, seconds: number): void;
  callback(outcome: CallbackOutcome): void;
  /** The text that `/metrics` answers with. */
  render(): Promise<{ body: string; contentType: string }>;
}

/** From an answer out of memory to an edit that took minutes. */
const SECONDS = [0.01, 0.05, 0.25, 1, 5, 15, 60, 300, 900];

/** Makes metrics with a registry of their own, so that they mix with nobody's. */
export async function createMetrics(options: {
  queue: JobQueue;
  bytesInFlight: () => number;
}): Promise<WebhookMetrics> {
  const { Counter, Gauge, Histogram, Registry } = await loadOptional(() => import('prom-client'), {
    what: '/metrics',
    packages: ['prom-client'],
  });
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: 'vibe_edit_http_request_duration_seconds',
    help: 'Time from a request to the head of its answer',
    labelNames: ['method', 'route', 'status'],
    buckets: SECONDS,
    registers,
  });
  const callbacks = new Counter({
    name: 'vibe_edit_callbacks_total',
    help: 'Attempts to report a finished job to its callback_url',
    labelNames: ['outcome'],
    registers,
  });
  const gauge = (name: string, help: string, labelNames: string[] = []) =>
    new Gauge({ name: `vibe_edit_${name}`, help, labelNames, registers });
  const bytes = gauge('upload_bytes_in_flight', 'Bytes of request bodies in memory');
  const jobs = gauge('jobs', 'Jobs that are kept, by state', ['state']);
  const oldest = gauge('oldest_wait_seconds', 'How long the oldest waiting job has waited');
  const workers = gauge('workers', 'Workers alive');
  const slots = gauge('worker_slots', 'Jobs that the workers can run at once');
  const users = gauge('users_with_jobs', 'Users with unfinished jobs');

  return {
    request: ({ method, route, status }, seconds) =>
      requests.observe({ method, route, status: String(status) }, seconds),
    callback: (outcome) => callbacks.inc({ outcome }),
    async render() {
      const stats = await options.queue.stats();
      for (const state of JOB_STATES) jobs.set({ state }, stats.states[state]);
      oldest.set(stats.oldestWaitSeconds);
      workers.set(stats.workers);
      slots.set(stats.slots);
      users.set(stats.users.length);
      bytes.set(options.bytesInFlight());
      return { body: await registry.metrics(), contentType: registry.contentType };
    },
  };
}

/** Metrics where the package for them is installed; where nobody asked for them its absence is no error. */
export async function createMetricsIfInstalled(
  options: Parameters<typeof createMetrics>[0],
): Promise<WebhookMetrics | undefined> {
  try {
    return await createMetrics(options);
  } catch (error) {
    if (error instanceof MissingPackageError) return undefined;
    throw error;
  }
}
