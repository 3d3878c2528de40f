import { isFinalState, type Job, type JobState } from '@vibe-edit/core';
import type { Context, Hono } from 'hono';
import { ApiError, badRequest, notFound } from '../api-error.js';
import { viewFailure } from '../error-response.js';
import { byteRange } from '../http/byte-range.js';
import { eventStreamResponse } from '../http/event-stream.js';
import { parameterError } from '../http/parse-parameters.js';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';
import { jobEvents } from './job-events.js';
import { deleteParameters, listParameters } from './job-schema.js';
import { ownJob, queueUser } from './own-job.js';
import { submitJob } from './submit-job.js';
import { viewJob } from './view-job.js';

/** Seconds after which it makes sense to ask for a job again. */
const ASK_AGAIN_SECONDS = 1;

/** Adds `/v1/jobs` and what is below it. */
export function addJobRoutes(app: Hono<WebhookEnv>, parts: WebhookParts): void {
  const callers = parts.callers();

  app.post('/v1/jobs', parts.open, parts.callers({ job: true }), async (c) => {
    const jobsUrl = jobsUrlOf(parts, c);
    const job = await submitJob(parts, c, jobsUrl);
    c.get('logFields').job = job.id;
    c.header('location', `${c.req.path}/${job.id}`);
    c.header('retry-after', String(ASK_AGAIN_SECONDS));
    return c.json(viewJob(job, jobsUrl), 202);
  });

  app.get('/v1/jobs', parts.open, callers, async (c) => {
    const { success, data, error } = listParameters.safeParse(c.req.query(), { reportInput: true });
    if (!success) throw parameterError(error);
    const { state, parent, after, limit = 20 } = data;
    if (parent !== undefined) await ownJob(parts, c.get('caller'), parent);
    if (after !== undefined) await ownJob(parts, c.get('caller'), after);
    const jobs = await parts.queue.list({
      user: queueUser(c.get('caller')),
      limit: limit + 1,
      ...(state !== undefined && { states: [state] }),
      ...(parent !== undefined && { parent }),
      ...(after !== undefined && { after }),
    });
    const jobsUrl = jobsUrlOf(parts, c);
    const page = jobs.slice(0, limit).map((job) => viewJob(job, jobsUrl));
    return c.json({ object: 'list', data: page, has_more: jobs.length > limit });
  });

  app.get('/v1/jobs/:id', parts.open, callers, async (c) => {
    const job = await ownJob(parts, c.get('caller'), c.req.param('id'));
    if (!isFinalState(job.state)) c.header('retry-after', String(ASK_AGAIN_SECONDS));
    return c.json(viewJob(job, jobsUrlOf(parts, c)));
  });

  app.delete('/v1/jobs/:id', parts.open, callers, async (c) => {
    const { success, data, error } = deleteParameters.safeParse(c.req.query(), { reportInput: true });
    if (!success) throw parameterError(error);
    const { id, state } = await ownJob(parts, c.get('caller'), c.req.param('id'));
    c.get('logFields').job = id;
    if (data.forget === 'true') {
      if (!isFinalState(state))
        throw conflict(state, `Expected a job that is done but it is ${state}: cancel it first`);
      await parts.queue.remove(id);
      return c.body(null, 204);
    }
    const job = await parts.queue.cancel(id);
    // As it was when it was to be cancelled: it may have ended since its state was asked for.
    if (isFinalState(job.state) && job.state !== 'cancelled') {
      const hint = 'It stays as it is; ?forget=true deletes it with its pictures';
      throw conflict(job.state, `Expected a job that is not done but it ${job.state} before. ${hint}`);
    }
    return c.json(viewJob(job, jobsUrlOf(parts, c)), job.cancelling ? 202 : 200);
  });

  app.get('/v1/jobs/:id/result', parts.open, callers, (c) => sendResult(parts, c, c.req.param('id'), '0'));
  app.get('/v1/jobs/:id/result/:index', parts.open, callers, (c) =>
    sendResult(parts, c, c.req.param('id'), c.req.param('index')),
  );

  app.get('/v1/jobs/:id/events', parts.open, callers, async (c) => {
    const job = await ownJob(parts, c.get('caller'), c.req.param('id'));
    const after = lastEventId(c);
    const jobsUrl = jobsUrlOf(parts, c);
    // A browser that has seen everything asks once more after the end; 204 tells it to stop.
    if (isFinalState(job.state) && !(await hasEvents(parts, job.id, after))) return c.body(null, 204);
    const ended = new AbortController();
    const endStream = parts.streams.open(c.get('caller'));
    const signal = AbortSignal.any([ended.signal, parts.closing]);
    return eventStreamResponse(c, {
      events: jobEvents(parts, { id: job.id, after, jobsUrl, signal }),
      heartbeatSeconds: parts.limits.heartbeatSeconds,
      onClose() {
        endStream();
        ended.abort();
      },
    });
  });
}

/** Where jobs are, as this request's client or a receiver of callbacks reaches them. */
function jobsUrlOf({ publicUrl }: WebhookParts, c: Context): string {
  // The webhook may be mounted anywhere: what is in front of `/v1/jobs` is the mount's.
  const path = c.req.path.slice(0, c.req.path.lastIndexOf('/v1/jobs') + '/v1/jobs'.length);
  return publicUrl === undefined ? path : `${publicUrl.replace(/\/+$/, '')}${path}`;
}

function lastEventId(c: Context): number {
  const text = c.req.header('last-event-id') ?? c.req.query('after') ?? '0';
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw badRequest('Expected the number of an event for Last-Event-ID', { param: 'Last-Event-ID' });
}

async function hasEvents({ queue }: WebhookParts, id: string, after: number): Promise<boolean> {
  for await (const _ of queue.events(id, { after })) return true;
  return false;
}

async function sendResult(parts: WebhookParts, c: Context<WebhookEnv>, id: string, index: string): Promise<Response> {
  const job = await ownJob(parts, c.get('caller'), id);
  const picture = /^\d{1,4}$/.test(index) ? resultOf(job).images[Number(index)] : undefined;
  if (picture === undefined) throw notFound('The job has no result with this number', 'unknown_result');
  const etag = `"${picture.sha256}"`;
  // Whoever has a result may keep it: it never changes, but it is nobody else's.
  c.header('cache-control', 'private, max-age=31536000, immutable');
  c.header('etag', etag);
  if (isKnown(c.req.header('if-none-match'), etag)) return c.body(null, 304);
  c.header('accept-ranges', 'bytes');
  const range =
    c.req.method === 'GET' && isUnchanged(c, etag) ? byteRange(c.req.header('range'), picture.bytes) : 'whole';
  if (range === 'unsatisfiable') {
    c.header('cache-control', undefined);
    c.header('content-range', `bytes */${picture.bytes}`);
    const message = `Expected a range inside ${picture.bytes} bytes`;
    throw new ApiError({ status: 416, type: 'invalid_request_error', code: 'range_not_satisfiable', message });
  }
  const whole = await parts.blobs.get(picture, { signal: c.req.raw.signal });
  const bytes = range === 'whole' ? whole : whole.subarray(range.start, range.end);
  const extension = picture.mediaType.replace(/^image\//, '');
  c.header('content-type', picture.mediaType);
  c.header('content-length', String(bytes.length));
  c.header('content-disposition', `inline; filename="${job.id}-${index}.${extension}"`);
  if (range === 'whole') return c.body(Uint8Array.from(bytes));
  c.header('content-range', `bytes ${range.start}-${range.end - 1}/${whole.length}`);
  return c.body(Uint8Array.from(bytes), 206);
}

/** Whether a range is of the file that the caller has a part of. */
function isUnchanged(c: Context, etag: string): boolean {
  const condition = c.req.header('if-range');
  return condition === undefined || condition === etag;
}

/** Whether `If-None-Match` names a tag: one of a list, made weak by a proxy that compresses, or any at all. */
function isKnown(header: string | undefined, etag: string): boolean {
  const tags = header?.split(',').map((tag) => tag.trim().replace(/^W\//, '')) ?? [];
  return tags.includes(etag) || tags.includes('*');
}

function resultOf(job: Job): NonNullable<Job['result']> {
  if (job.result !== undefined) return job.result;
  const why = job.error === undefined ? '' : `: ${viewFailure(job.error).message}`;
  throw conflict(job.state, `Expected a job that succeeded but it is ${job.state}${why}`);
}

/** The refusal of what cannot be done to a job in its state. */
function conflict(state: JobState, message: string): ApiError {
  const isDone = isFinalState(state);
  return new ApiError({
    status: 409,
    type: 'conflict_error',
    code: isDone ? `job_${state}` : 'job_not_finished',
    message,
    retryAfter: isDone ? undefined : ASK_AGAIN_SECONDS,
  });
}
