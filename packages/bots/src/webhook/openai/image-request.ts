import { type JobRequest, type PictureReference, sharpCodec, type Warning, type WorkQueue } from '@vibe-edit/core';
import type { Context } from 'hono';
import { type ApiError, badRequest } from '../api-error.js';
import { toApiError } from '../error-response.js';
import type { Form } from '../http/form.js';
import { parseParameters } from '../http/parse-parameters.js';
import { readForm } from '../http/read-form.js';
import { queueUser } from '../jobs/own-job.js';
import { settingsOf } from '../jobs/setting-parameters.js';
import { checkEditable, decodeBase64, storePicture } from '../jobs/store-picture.js';
import { idempotencyKeyOf, submitWithPictures } from '../jobs/submit-job.js';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';
import { denoisingSteps } from './denoising-steps.js';
import { type ImageParameters, imageParameters } from './image-parameters.js';
import { checkModel } from './model-routes.js';

/** Names of the pictures of an edit, as clients write them. */
const PICTURES = ['image', 'image[]', 'mask', 'mask[]'];
/** Names that warnings are given for. */
const MAX_UNKNOWN = 10;

export interface ImageRequest {
  readonly params: ImageParameters;
  /** What of it changes nothing although its caller may think that it does. */
  readonly warnings: readonly Warning[];
  /** Stores the pictures and hands the job to the queue. */
  submit(): ReturnType<typeof submitWithPictures>;
}

/** Reads a request of OpenAI's image routes. Every check that needs no storing is done here. */
export async function readImageRequest(
  parts: WebhookParts & { readonly maskChecks: WorkQueue },
  c: Context<WebhookEnv>,
  kind: 'edit' | 'generate',
): Promise<ImageRequest> {
  const { limits } = parts;
  const lease = c.get('lease');
  const { signal } = c.req.raw;
  const form = withoutNulls(await readForm(c.req.raw, { limits, lease }));
  c.set('bodyRead', true);
  const schema = imageParameters(limits);
  const params = parseParameters(schema, form);
  checkModel(parts.model, params.model);
  const { steps, warnings } = denoisingSteps(params, parts);
  const size = params.size === 'auto' ? undefined : params.size;
  const settings = settingsOf(
    { ...params, num_inference_steps: steps, num_images: params.n, size },
    { kind, maxSide: limits.maxSide },
  );
  const idempotencyKey = idempotencyKeyOf(c);
  if (parts.logInstructions) c.get('logFields').instruction = params.prompt;
  const image = kind === 'edit' ? onePicture(form, 'image', limits.maxImageBytes) : undefined;
  const mask = kind === 'edit' ? onePicture(form, 'mask', limits.maxImageBytes) : undefined;
  if (kind === 'edit' && image === undefined) {
    throw badRequest('Expected a picture for image but received none', { code: 'missing_parameter', param: 'image' });
  }

  const request = (pictures: { image?: PictureReference; mask?: PictureReference }): JobRequest => ({
    kind,
    user: queueUser(c.get('caller')),
    instruction: params.prompt,
    ...pictures,
    settings,
    output: outputOf(params),
    previews: params.stream === true && (params.partial_images ?? 0) > 0,
    ...(idempotencyKey !== undefined && { idempotencyKey }),
  });

  const known = kind === 'edit' ? [...Object.keys(schema.shape), ...PICTURES] : Object.keys(schema.shape);
  return {
    params,
    warnings: [...warnings, ...unknownNames(form, known)],
    submit: () =>
      submitWithPictures(parts, async (store) => {
        if (image === undefined) return request({});
        const stored = await store(storePicture(parts, { source: { bytes: image }, param: 'image', lease, signal }));
        checkEditable(stored, 'image');
        if (mask === undefined) return request({ image: stored });
        const storedMask = await store(storePicture(parts, { source: { bytes: mask }, param: 'mask', lease, signal }));
        await checkMask(parts.maskChecks, mask, { maxPixels: limits.maxPixels, signal });
        return request({ image: stored, mask: storedMask });
      }),
  };
}

/** In JSON a null stands for what is left out. */
function withoutNulls(form: Form): Form {
  const values = Object.entries(form.values).filter(([, value]) => value !== null);
  return { ...form, values: Object.fromEntries(values) };
}

/** Warnings of what is ignored since nothing here knows it: a newer parameter of OpenAI's, or a typing mistake. */
function unknownNames({ values, files }: Form, known: readonly string[]): Warning[] {
  const unknown = [...new Set([...Object.keys(values), ...files.keys()])].filter((name) => !known.includes(name));
  return unknown.slice(0, MAX_UNKNOWN).map((name) => ({
    code: 'unknown-parameter',
    message: `${JSON.stringify(name.slice(0, 100))} is no parameter here and changed nothing`,
  }));
}

/** The one picture under a name: `image`, or `image[]` as clients name lists. */
function onePicture({ files, values }: Form, name: string, maxBytes: number): Uint8Array | undefined {
  const uploaded = [...(files.get(name) ?? []), ...(files.get(`${name}[]`) ?? [])];
  if (uploaded.length > 1) throw severalPictures(name, uploaded.length);
  if (uploaded[0] !== undefined) return uploaded[0];
  const given = values[name] ?? values[`${name}[]`];
  if (given === undefined) return undefined;
  const list = Array.isArray(given) ? given : [given];
  if (list.length > 1) throw severalPictures(name, list.length);
  const [value] = list;
  if (typeof value === 'string') return decodeBase64(value, name, maxBytes);
  throw badRequest(`Expected a file or base64 for ${name}`, { param: name });
}

function severalPictures(name: string, count: number): ApiError {
  return badRequest(`Expected one picture for ${name} but received ${count}: this model edits one`, { param: name });
}

/**
 * Refuses a mask that OpenAI would refuse: without transparency nothing says where the picture may change. One mask is decoded at a
 * time, for its pixels take room.
 */
async function checkMask(
  queue: WorkQueue,
  mask: Uint8Array,
  options: { maxPixels: number; signal: AbortSignal },
): Promise<void> {
  try {
    const { raster } = await queue.run(() => sharpCodec.decode(mask, options), { signal: options.signal });
    if (raster.channels === 4) return;
  } catch (error) {
    throw toApiError(error, 'mask');
  }
  throw badRequest('Expected a mask with transparent areas, where the picture may change, but received one without', {
    code: 'invalid_image',
    param: 'mask',
  });
}

function outputOf({ output_format, output_compression }: ImageParameters): NonNullable<JobRequest['output']> {
  const format = output_format ?? 'png';
  // Ours begins at 1; PNG has no such setting.
  if (format === 'png' || output_compression === undefined) return { format };
  return { format, quality: Math.max(1, output_compression) };
}
