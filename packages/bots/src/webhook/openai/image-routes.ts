import { createWorkQueue, type Job, QueueUnavailableError, waitForJob } from '@vibe-edit/core';
import type { Context, Hono } from 'hono';
import { ApiError } from '../api-error.js';
import { errorBody, failureToApiError, toApiError } from '../error-response.js';
import { eventStreamResponse, type ServerSentEvent } from '../http/event-stream.js';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';
import {
  base64,
  imagesAnswer,
  pictureFields,
  picturesOf,
  resultFields,
  seconds,
  warningCodes,
} from './image-answer.js';
import { type ImageRequest, readImageRequest } from './image-request.js';
import { createPartialImages } from './partial-images.js';

/** Adds `/v1/images/edits` and `/v1/images/generations`. */
export function addImageRoutes(app: Hono<WebhookEnv>, parts: WebhookParts): void {
  const readingParts = { ...parts, maskChecks: createWorkQueue({ limit: 100 }) };

  const handle = (kind: 'edit' | 'generate') => async (c: Context<WebhookEnv>) => {
    const endStream = parts.streams.open(c.get('caller'));
    let streaming = false;
    try {
      const request = await readImageRequest(readingParts, c, kind);
      const job = await request.submit();
      c.get('logFields').job = job.id;
      c.header('x-job-id', job.id);
      if (request.params.stream === true) {
        streaming = true;
        return streamImages(parts, c, { job, request, onClose: endStream });
      }
      const patience = AbortSignal.timeout(parts.limits.waitSeconds * 1000);
      const done = await waitOrCancel(parts, job, { caller: c.req.raw.signal, patience });
      const answer = await imagesAnswer(done, request, parts.blobs);
      if (answer.warnings.length > 0) c.header('x-warnings', warningCodes(answer.warnings));
      return c.json(answer);
    } finally {
      if (!streaming) endStream();
    }
  };

  app.post('/v1/images/edits', parts.open, parts.callers({ job: true }), handle('edit'));
  app.post('/v1/images/generations', parts.open, parts.callers({ job: true }), handle('generate'));
}

/** Waits for a job. Nobody is there for its result when the caller hangs up or the time is over: then it is cancelled. */
async function waitOrCancel(
  parts: WebhookParts,
  job: Job,
  { caller, patience }: { caller: AbortSignal; patience: AbortSignal },
): Promise<Job> {
  // Aborted in the end whatever comes: Node keeps a signal that was made of others, and is listened to, until it is.
  const over = new AbortController();
  const signal = AbortSignal.any([caller, patience, parts.closing, over.signal]);
  try {
    return succeeded(await waitForJob({ queue: parts.queue, id: job.id, signal }));
  } catch (error) {
    if (caller.aborted || patience.aborted) await parts.queue.cancel(job.id);
    throw waitError(error, parts, patience);
  } finally {
    over.abort();
  }
}

/** What is told to a caller who waited. */
function waitError(error: unknown, parts: WebhookParts, patience: AbortSignal): unknown {
  if (patience.aborted) {
    const message = `Expected a result within ${parts.limits.waitSeconds} seconds; the job was cancelled`;
    return new ApiError({ status: 504, type: 'server_error', code: 'job_timeout', message });
  }
  if (parts.closing.aborted) {
    const message = 'The server is about to stop; the job goes on';
    return new ApiError({ status: 503, type: 'server_error', code: 'closed', message, retryAfter: 5 });
  }
  if (error instanceof QueueUnavailableError) {
    const message = 'The queue cannot be reached right now; the job goes on';
    const { status, type, code, retryAfter } = toApiError(error);
    return new ApiError({ status, type, code, message, retryAfter, shouldRetry: false, cause: error });
  }
  return error;
}

/** @throws {ApiError} for a job that came to nothing */
function succeeded(job: Job): Job {
  if (job.state === 'succeeded') return job;
  if (job.state === 'failed' && job.error !== undefined) throw failureToApiError(job.error);
  const message = `Expected a result but the job is ${job.state}`;
  throw new ApiError({ status: 409, type: 'conflict_error', code: `job_${job.state}`, message });
}

function streamImages(
  parts: WebhookParts,
  c: Context<WebhookEnv>,
  options: { job: Job; request: ImageRequest; onClose: () => void },
): Response {
  const { job, request, onClose } = options;
  const caller = new AbortController();
  let ended = false;
  const events = async function* (): AsyncGenerator<ServerSentEvent> {
    const patience = AbortSignal.timeout(parts.limits.waitSeconds * 1000);
    try {
      yield* imageEvents(parts, { job, request, signal: AbortSignal.any([caller.signal, patience, parts.closing]) });
      ended = true;
    } catch (error) {
      // Without a caller this is nobody's to hear; what else went wrong is the last event.
      if (caller.signal.aborted) return;
      if (!parts.closing.aborted) await parts.queue.cancel(job.id).catch(() => undefined);
      ended = true;
      yield { event: 'error', data: JSON.stringify(errorBody(toApiError(waitError(error, parts, patience)))) };
    }
  };
  return eventStreamResponse(c, {
    events: events(),
    heartbeatSeconds: parts.limits.heartbeatSeconds,
    onClose() {
      onClose();
      caller.abort();
      // A caller who hangs up does not want the edit any more.
      if (!ended) parts.queue.cancel(job.id).catch(() => undefined);
    },
  });
}

async function* imageEvents(
  { queue, blobs }: WebhookParts,
  options: { job: Job; request: ImageRequest; signal: AbortSignal },
): AsyncGenerator<ServerSentEvent> {
  const { job, signal } = options;
  const { params, warnings } = options.request;
  const prefix = job.request.kind === 'edit' ? 'image_edit' : 'image_generation';
  const partials = createPartialImages({ job, params, count: params.partial_images ?? 0 });
  const send = (kind: string, fields: object): ServerSentEvent => {
    const type = `${prefix}.${kind}`;
    return { event: type, data: JSON.stringify({ type, created_at: seconds(Date.now()), ...fields }) };
  };
  for await (const event of queue.events(job.id, { signal })) {
    const partial = event.type === 'preview' ? await partials.next(event) : undefined;
    if (partial === undefined) continue;
    const { index, bytes, ...size } = partial;
    yield send('partial_image', {
      partial_image_index: index,
      b64_json: base64(bytes),
      ...pictureFields(params, size),
    });
  }
  const done = succeeded(await queue.get(job.id));
  for (const picture of picturesOf(done)) {
    const b64_json = base64(await blobs.get(picture, { signal }));
    yield send('completed', { b64_json, ...pictureFields(params, picture), ...resultFields(done, warnings) });
  }
}
