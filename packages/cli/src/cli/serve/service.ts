import { resolve } from 'node:path';
import { createWebhookLogger, type WebhookLogger } from '@vibe-edit/bots/webhook';
import {
  type BlobStore,
  blockOtherLoaders,
  type Checkpoint,
  type JobQueue,
  type JobWorker,
  runJobs,
} from '@vibe-edit/core';
import { throwIfAborted } from '@vibe-edit/core/runtime';
import type { CliIo } from '../cli-io.js';
import type { Services } from '../services.js';
import { makeDataFolder } from './data-folder.js';
import { limitCrashes } from './limit-crashes.js';
import { logJobs } from './log-jobs.js';
import { openBlobs, openQueue } from './open-queue.js';
import { unknownVariables } from './read-settings.js';
import type { Settings } from './settings-schema.js';

/** What a server and a worker have in common: the queue, the pictures, and an editor if jobs are carried out here. */
export interface Service {
  readonly log: WebhookLogger;
  readonly blobs: BlobStore;
  readonly queue: JobQueue;
  /** What is edited with here; undefined where nothing is. */
  readonly checkpoint: Checkpoint | undefined;
  /** Starts to carry out jobs. */
  work(): void;
  /** Takes no more jobs; running ones finish, or go back into the queue when their time is over. */
  drain(): Promise<void>;
  /** Frees everything; running jobs go back into the queue. */
  close(): Promise<void>;
}

/** Opens all that the settings name; what was opened is closed again when something else fails. */
export async function openService(options: { settings: Settings; io: CliIo; services: Services }): Promise<Service> {
  const { settings, io, services } = options;
  const { concurrency, backend, checkpoint } = settings;
  const data = resolve(io.cwd, settings.data);
  const log = await createWebhookLogger({ level: settings.logLevel, destination: io.stdout });
  const unknown = unknownVariables(io.environment);
  if (unknown.length > 0) log.warn({ variables: unknown }, 'environment variables that are no settings');
  const onError = (error: unknown): void => log.error({ err: error }, 'queue');
  // This process reads the pictures of strangers with nothing but the codec.
  await blockOtherLoaders();
  await makeDataFolder(data);

  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    const blobs = await openBlobs(settings, data);
    closers.push(() => blobs.close());
    const queue = await openQueue(settings, { data, blobs, onError });
    closers.push(() => queue.close());
    const editor =
      concurrency === 0
        ? undefined
        : await services.openEditor({ backend, ...(checkpoint !== undefined && { checkpoint }) });
    if (editor !== undefined) closers.push(() => editor.close());
    throwIfAborted(io.signal);
    let worker: JobWorker | undefined;
    return {
      log,
      blobs,
      queue,
      checkpoint: editor?.checkpoint,
      work() {
        if (editor === undefined) return;
        worker = runJobs({
          queue: logJobs(limitCrashes(queue), log),
          blobs,
          editor,
          concurrency,
          backend,
          timeoutSeconds: settings.jobTimeoutSeconds,
          // Errors of jobs are logged with the jobs.
          onError: (error, job) => job === undefined && onError(error),
        });
        closers.push(() => (worker as JobWorker).close());
      },
      async drain() {
        const running = worker?.running ?? 0;
        log.info({ running, seconds: settings.drainSeconds }, 'draining');
        await worker?.close({ drainSeconds: settings.drainSeconds });
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Resolves when the process is told to end. */
export function untilEnd(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
