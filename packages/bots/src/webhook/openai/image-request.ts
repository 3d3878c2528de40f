import { type JobRequest, type PictureReference, sharpCodec, type WorkQueue } from '@vibe-edit/core';
import type { Context } from 'hono';
import { badRequest } from '../api-error.js';
import { toApiError } from '../error-response.js';
import type { Form } from '../http/form.js';
import { parseParameters } from '../http/parse-parameters.js';
import { readForm } from '../http/read-form.js';
import { queueUser } from '../jobs/own-job.js';
import { decodeBase64, storePicture } from '../jobs/store-picture.js';
import { idempotencyKeyOf, parseSize, submitWithPictures } from '../jobs/submit-job.js';
import type { WebhookEnv, WebhookParts } from '../webhook-parts.js';
import { type ImageParameters, imageParameters } from './image-parameters.js';
import { checkModel } from './model-routes.js';

export interface ImageRequest {
  readonly params: ImageParameters;
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
  const form = await readForm(c.req.raw, { limits, lease });
  c.set('bodyRead', true);
  const params = parseParameters(imageParameters(limits), form);
  checkModel(parts.model, params.model);
  const settings = settingsOf(params, limits.maxSide);
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

  return {
    params,
    submit: () =>
      submitWithPictures(parts, async (store) => {
        if (image === undefined) return request({});
        const stored = await store(storePicture(parts, { source: { bytes: image }, param: 'image', lease, signal }));
        if (mask === undefined) return request({ image: stored });
        const storedMask = await store(storePicture(parts, { source: { bytes: mask }, param: 'mask', lease, signal }));
        await checkMask(parts.maskChecks, mask, { maxPixels: limits.maxPixels, signal });
        return request({ image: stored, mask: storedMask });
      }),
  };
}

/** The one picture under a name: `image`, or `image[]` as clients name lists. */
function onePicture({ files, values }: Form, name: string, maxBytes: number): Uint8Array | undefined {
  const uploaded = [...(files.get(name) ?? []), ...(files.get(`${name}[]`) ?? [])];
  if (uploaded.length > 1) {
    throw badRequest(`Expected one picture for ${name} but received ${uploaded.length}: this model edits one`, {
      param: name,
    });
  }
  if (uploaded[0] !== undefined) return uploaded[0];
  const value = values[name] ?? values[`${name}[]`];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return decodeBase64(value, name, maxBytes);
  throw badRequest(`Expected a picture for ${name}`, { param: name });
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

function settingsOf(params: ImageParameters, maxSide: number): NonNullable<JobRequest['settings']> {
  const { size, seed, n, steps, guidance_scale, image_guidance_scale } = params;
  const wanted = size === 'auto' || size === null || size === undefined ? undefined : size;
  const entries = {
    seed,
    numImages: n,
    numInferenceSteps: steps,
    guidanceScale: guidance_scale,
    imageGuidanceScale: image_guidance_scale,
    size: wanted === undefined ? undefined : parseSize(wanted, { param: 'size', maxSide }),
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined && value !== null));
}

function outputOf({ output_format, output_compression }: ImageParameters): NonNullable<JobRequest['output']> {
  const format = output_format ?? 'png';
  // Ours begins at 1; PNG has no such setting.
  if (format === 'png' || output_compression === undefined || output_compression === null) return { format };
  return { format, quality: Math.max(1, output_compression) };
}
