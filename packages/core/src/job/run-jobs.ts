import type { EditedImage, Editor, EditResult } from '../editor-types.js';
import { HostCrashedError } from '../errors/host-crashed-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { JobTimeoutError } from '../errors/job-timeout-error.js';
import type { EncodeOptions, ImageCodec } from '../image/image-codec.js';
import { sharpCodec } from '../image/sharp-codec.js';
import type { ProgressEvent } from '../pipeline/progress.js';
import type { BlobStore } from './blob-store.js';
import type { JobImage, JobRequest, JobResult } from './job.js';
import type { JobQueue, JobRun, JobWorker, WorkOptions } from './job-queue.js';

const DEFAULT_TIMEOUT_SECONDS = 30 * 60;
const MEDIA_TYPES = { png: 'image/png', jpeg: 'image/jpeg', webp: 'image/webp', avif: 'image/avif' } as const;

export interface RunJobsOptions {
  queue: JobQueue;
  /** Stays open: its maker closes it, after the worker. */
  editor: Editor;
  /** The store that the jobs' references point into. */
  blobs: BlobStore;
  /** Jobs at once. More than 1 gives the editor the next picture to read while one is computed. Default 1. */
  concurrency?: number;
  /** Seconds that one job may take; then it fails with a `JobTimeoutError`. Default 1800. */
  timeoutSeconds?: number;
  /** Name of the editor's backend: times are measured and estimated apart for each. Default: empty. */
  backend?: string;
  /** Stops the worker as its `close()` without waiting does. */
  signal?: AbortSignal;
  /** Hears why jobs failed (with their id), and errors of the queue's own connections. Default: nobody. */
  onError?: WorkOptions['onError'];
  /** Writes previews. Default: sharp. */
  codec?: ImageCodec;
}

/**
 * Carries out the jobs of a queue with an editor: reads pictures from the blob store, passes progress and previews on, stores the
 * results. A job that the editor's process died under is tried again.
 */
export function runJobs(options: RunJobsOptions): JobWorker {
  const { queue, editor, concurrency = 1, timeoutSeconds = DEFAULT_TIMEOUT_SECONDS, backend = '' } = options;
  if (!(timeoutSeconds > 0)) {
    throw new InvalidArgumentError({
      argument: 'timeoutSeconds',
      expected: 'a number over 0',
      received: String(timeoutSeconds),
    });
  }
  return queue.work((run) => withTimeout(run, timeoutSeconds, (signal) => carryOutEdit(options, run, signal)), {
    concurrency,
    measuredAs: { checkpoint: editor.checkpoint.path, backend },
    isTransient: (error) => error instanceof HostCrashedError,
    ...(options.signal !== undefined && { signal: options.signal }),
    ...(options.onError !== undefined && { onError: options.onError }),
  });
}

async function withTimeout<Result>(
  run: JobRun,
  seconds: number,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const timeout = new AbortController();
  const error = new JobTimeoutError({ seconds });
  const timer = setTimeout(() => timeout.abort(error), Math.min(seconds * 1000, 2 ** 31 - 1));
  try {
    return await work(AbortSignal.any([run.signal, timeout.signal]));
  } catch (thrown) {
    throw timeout.signal.aborted && !run.signal.aborted ? error : thrown;
  } finally {
    clearTimeout(timer);
  }
}

async function carryOutEdit({ editor, blobs, codec = sharpCodec }: RunJobsOptions, run: JobRun, signal: AbortSignal) {
  const { request } = run.job;
  const reporter = createReporter(run, codec);
  const common = {
    ...request.settings,
    instruction: request.instruction,
    previews: request.previews ?? false,
    onProgress: reporter.report,
    signal,
  };
  const edit = async (): Promise<EditResult> => {
    if (request.kind === 'generate' || request.image === undefined) return editor.generate(common);
    const image = await blobs.get(request.image, { signal });
    if (request.mask === undefined) return editor.edit({ ...common, image });
    return editor.edit({ ...common, image, mask: await blobs.get(request.mask, { signal }) });
  };
  const result = await edit();
  await reporter.settled();
  return storeResult(result, { request, blobs, signal });
}

async function storeResult(
  result: EditResult,
  { request, blobs, signal }: { request: JobRequest; blobs: BlobStore; signal: AbortSignal },
): Promise<JobResult> {
  const { format = 'png', quality } = request.output ?? {};
  const encoding: EncodeOptions = quality === undefined ? {} : { quality };
  const images: JobImage[] = [];
  const store = async (image: EditedImage): Promise<void> => {
    const data = await image.toBuffer(format, encoding);
    const reference = await blobs.put(data, { mediaType: MEDIA_TYPES[format], signal });
    const { width, height, instruction } = image;
    images.push({ ...reference, width, height, instruction });
  };
  try {
    for (const image of result.images) await store(image);
  } catch (error) {
    await Promise.allSettled(images.map((image) => blobs.delete(image)));
    throw error;
  }
  const { seed, warnings, seconds } = result;
  return { images, seed, warnings, seconds };
}

/** Passes the editor's events on in their order; a preview takes a moment to be written. */
function createReporter(run: JobRun, codec: ImageCodec) {
  let previous: Promise<void> = Promise.resolve();
  const send = async ({ preview, ...progress }: ProgressEvent): Promise<void> => {
    if (preview === undefined) return run.progress(progress);
    const data = await codec.encode(preview, 'png');
    run.progress(progress, { mediaType: 'image/png', width: preview.width, height: preview.height, data });
  };
  return {
    report: (event: ProgressEvent): void => {
      previous = previous.then(() => send(event)).catch(() => run.progress(event));
    },
    settled: () => previous,
  };
}
