import {
  type BlobReference,
  type Job,
  type JobRequest,
  type PictureReference,
  QueueUnavailableError,
} from '@vibe-edit/core';
import type { Context } from 'hono';
import { badRequest } from '../api-error.js';
import { CALLBACK_OUTBOX, callbackMetadata } from '../callback/callback-message.js';
import { toApiError } from '../error-response.js';
import type { GuardedFetch } from '../fetch/guarded-fetch.js';
import type { Form } from '../http/form.js';
import { parseParameters } from '../http/parse-parameters.js';
import { readForm } from '../http/read-form.js';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';
import { type JobParameters, jobParameters } from './job-schema.js';
import { ownJob, queueUser } from './own-job.js';
import { settingsOf } from './setting-parameters.js';
import { checkEditable, decodeBase64, discardPictures, type PictureSource, storePicture } from './store-picture.js';

const FILES: readonly string[] = ['image', 'mask'];
const KEY = /^[\x21-\x7e]{1,256}$/;

/** Carries out `POST /v1/jobs` up to the point where the queue has the job. */
export async function submitJob(parts: WebhookParts, c: Context<WebhookEnv>, jobsUrl: string): Promise<Job> {
  const lease = c.get('lease');
  const form = await readForm(c.req.raw, { limits: parts.limits, lease });
  c.set('bodyRead', true);
  const params = parseParameters(jobParameters(parts.limits), form);
  checkFiles(form);
  checkCount(params, parts.limits.maxImages);
  const caller = c.get('caller');
  const image = pictureSource(parts, form, params, 'image');
  const mask = pictureSource(parts, form, params, 'mask');
  const earlier = await earlierPicture(parts, c, params);
  const kind = params.kind ?? (image === undefined && earlier === undefined ? 'generate' : 'edit');
  checkPictures(kind, { image, mask, earlier });
  const settings = settingsOf(params, { kind, maxSide: parts.limits.maxSide });
  const parent = params.parent ?? params.image_job;
  if (parent !== undefined) await ownJob(parts, caller, parent);
  const callback = callbackFields(parts, params.callback_url, jobsUrl);
  const idempotencyKey = idempotencyKeyOf(c);
  if (parts.logInstructions) c.get('logFields').instruction = params.instruction;

  const common = { lease, signal: c.req.raw.signal };
  return await submitWithPictures(parts, async (store) => {
    const stored = image && (await store(storePicture(parts, { source: image.source, param: image.param, ...common })));
    const source = stored ?? earlier;
    if (source !== undefined) checkEditable(source, image?.param ?? 'image_job');
    const storedMask =
      mask && (await store(storePicture(parts, { source: mask.source, param: mask.param, ...common })));
    return {
      kind,
      user: queueUser(caller),
      instruction: params.instruction,
      ...(source !== undefined && { image: source }),
      ...(storedMask !== undefined && { mask: storedMask }),
      settings,
      output: {
        ...(params.output_format !== undefined && { format: params.output_format }),
        ...(params.output_quality !== undefined && { quality: params.output_quality }),
      },
      previews: params.previews ?? false,
      ...(params.priority !== undefined && { priority: params.priority }),
      ...(parent !== undefined && { parent }),
      ...(idempotencyKey !== undefined && { idempotencyKey }),
      ...callback,
    };
  });
}

/**
 * Stores pictures and submits the job that refers to them; when it comes to nothing for certain they are deleted again.
 * @param build Hands each stored picture to its argument and gives the request.
 */
export async function submitWithPictures(
  parts: WebhookParts,
  build: (store: <Picture extends BlobReference>(storing: Promise<Picture>) => Promise<Picture>) => Promise<JobRequest>,
): Promise<Job> {
  const stored: BlobReference[] = [];
  try {
    const request = await build(async (storing) => {
      const picture = await storing;
      stored.push(picture);
      return picture;
    });
    return await parts.queue.submit(request);
  } catch (error) {
    // Of a queue that is away nobody knows whether it took the job, which would need them.
    if (!(error instanceof QueueUnavailableError)) await discardPictures(parts, stored);
    throw error;
  }
}

/** @throws {ApiError} 400 */
export function idempotencyKeyOf(c: Context<WebhookEnv>): string | undefined {
  const key = c.req.header('idempotency-key');
  if (key === undefined || KEY.test(key)) return key;
  throw badRequest('Expected 1 to 256 visible ASCII characters for Idempotency-Key', { param: 'Idempotency-Key' });
}

function checkCount({ instruction, num_images = 1 }: JobParameters, maxImages: number): void {
  const count = (typeof instruction === 'string' ? 1 : instruction.length) * num_images;
  if (count <= maxImages) return;
  throw badRequest(`Expected at most ${maxImages} pictures a job but received ${count}`, { param: 'num_images' });
}

function checkFiles({ files }: Form): void {
  for (const [name, list] of files) {
    if (!FILES.includes(name)) {
      throw badRequest(`Unexpected file: ${JSON.stringify(name.slice(0, 100))}`, {
        code: 'unknown_parameter',
        param: name,
      });
    }
    if (list.length > 1) throw badRequest(`Expected one file for ${name} but received ${list.length}`, { param: name });
  }
}

/** @throws {ApiError} 400 */
function checkUrl(guardedFetch: GuardedFetch, url: string, param: string): void {
  try {
    guardedFetch.check(url);
  } catch (error) {
    throw toApiError(error, param);
  }
}

/** What a picture parameter gives, in whichever way. */
function pictureSource(
  { limits, guardedFetch }: WebhookParts,
  form: Form,
  params: JobParameters,
  name: 'image' | 'mask',
): { source: PictureSource; param: string } | undefined {
  const file = form.files.get(name)?.[0];
  const text = params[name];
  const url = params[`${name}_url`];
  const given = [file, text, url].filter((value) => value !== undefined).length;
  if (given > 1) throw badRequest(`Expected one of ${name} and ${name}_url but received several`, { param: name });
  if (file !== undefined) return { source: { bytes: file }, param: name };
  if (text !== undefined) {
    return { source: { bytes: decodeBase64(text, name, limits.maxImageBytes) }, param: name };
  }
  if (url === undefined) return undefined;
  const param = `${name}_url`;
  checkUrl(guardedFetch, url, param);
  return { source: { url }, param };
}

/** The result of an earlier job that this one goes on from. */
async function earlierPicture(
  parts: WebhookParts,
  c: Context<WebhookEnv>,
  params: JobParameters,
): Promise<PictureReference | undefined> {
  const { image_job: id, image_index: index = 0 } = params;
  if (id === undefined) return undefined;
  const { result } = await ownJob(parts, c.get('caller'), id);
  const picture = result?.images[index];
  if (picture === undefined) {
    const received = result === undefined ? 'a job without a result' : `${result.images.length} results`;
    throw badRequest(`Expected a finished job with a result ${index} but received ${received}`, { param: 'image_job' });
  }
  const { key, mediaType, bytes, sha256, width, height } = picture;
  return { key, mediaType, bytes, sha256, width, height };
}

function checkPictures(
  kind: 'edit' | 'generate',
  { image, mask, earlier }: { image: unknown; mask: unknown; earlier: unknown },
): void {
  if (image !== undefined && earlier !== undefined) {
    throw badRequest('Expected one of image, image_url and image_job but received several', { param: 'image_job' });
  }
  const hasImage = image !== undefined || earlier !== undefined;
  if (kind === 'edit' && !hasImage) {
    throw badRequest('Expected a picture: image, image_url or image_job', {
      code: 'missing_parameter',
      param: 'image',
    });
  }
  if (kind === 'generate' && hasImage) throw badRequest('Expected no picture for kind generate', { param: 'image' });
  if (mask !== undefined && !hasImage) throw badRequest('Expected no mask without a picture', { param: 'mask' });
}

function callbackFields(
  { guardedFetch, callbackSigner }: WebhookParts,
  url: string | undefined,
  jobsUrl: string,
): Pick<JobRequest, 'outbox' | 'metadata'> {
  if (url === undefined) return {};
  if (callbackSigner === undefined) {
    throw badRequest('This server sends no callbacks: it has no secret to sign them with', {
      code: 'callbacks_off',
      param: 'callback_url',
    });
  }
  checkUrl(guardedFetch, url, 'callback_url');
  return { outbox: CALLBACK_OUTBOX, metadata: callbackMetadata({ url, jobsUrl }) };
}
