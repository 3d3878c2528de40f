import { JOB_STATES } from '@vibe-edit/core';
import { z } from 'zod';
import type { WebhookLimits } from '../webhook-limits.js';
import { settingParameters } from './setting-parameters.js';

const SIZE = /^\d{1,5}x\d{1,5}$/;

/** Parameters of `POST /v1/jobs`; files of a multipart form come besides. */
export function jobParameters(limits: WebhookLimits) {
  const sentence = z.string().trim().min(1).max(limits.maxInstructionLength);
  return z.strictObject({
    instruction: z
      .union([sentence, z.array(sentence).min(1).max(limits.maxImages)], {
        error: `Expected 1 to ${limits.maxInstructionLength} characters, or a list of 1 to ${limits.maxImages} such texts,`,
      })
      .describe('What is to change, e.g. "make it warmer"; several are carried out apart.'),
    kind: z.enum(['edit', 'generate']).optional().describe('Default: `edit` where there is a picture.'),
    image: z.string().optional().describe('The picture: a file in a form, base64 or a data URL in JSON.'),
    image_url: z.string().max(2048).optional().describe('Instead of `image`: where it can be downloaded.'),
    image_job: z
      .string()
      .max(64)
      .optional()
      .describe('Instead of `image`: id of a finished job, to go on from its result.'),
    image_index: z.int().min(0).max(1000).optional().describe('Which result of `image_job`. Default 0.'),
    mask: z
      .string()
      .optional()
      .describe('Where pixels may change, as `image`: white or transparent may, black or opaque stays.'),
    mask_url: z.string().max(2048).optional().describe('Instead of `mask`.'),
    size: z.string().regex(SIZE, 'Expected a size like 1024x768').optional().describe('The result fits inside it.'),
    ...settingParameters(limits),
    num_images: z.int().min(1).max(limits.maxImages).optional().describe('Pictures an instruction. Default 1.'),
    output_format: z.enum(['png', 'jpeg', 'webp', 'avif']).optional().describe('Default `png`.'),
    output_quality: z.int().min(1).max(100).optional().describe('For `jpeg`, `webp` and `avif`.'),
    previews: z.boolean().optional().describe('Send small pictures of the running denoising as events. Default false.'),
    priority: z.int().min(-100).max(100).optional().describe('Among your own jobs a higher one runs first. Default 0.'),
    parent: z.string().max(64).optional().describe('Id of the job that this one goes on from. Default: `image_job`.'),
    callback_url: z
      .string()
      .max(2048)
      .optional()
      .describe('Gets a signed message when the job is done (Standard Webhooks).'),
  });
}

export type JobParameters = z.infer<ReturnType<typeof jobParameters>>;

const time = z.iso.datetime().nullable();

const picture = z.object({
  url: z.string(),
  media_type: z.string(),
  width: z.int(),
  height: z.int(),
  bytes: z.int(),
  sha256: z.string(),
  instruction: z.string(),
});

export const warning = z.object({ code: z.string().describe('Stable.'), message: z.string() });

/** A job as the API shows it. */
export const jobView = z.object({
  id: z.string(),
  object: z.literal('job'),
  state: z.enum(JOB_STATES),
  kind: z.enum(['edit', 'generate']),
  instruction: z.union([z.string(), z.array(z.string())]),
  parent: z.string().nullable(),
  priority: z.int(),
  position: z.int().nullable().describe('Jobs that begin before it; 0 is next.'),
  estimated_wait_seconds: z.number().nullable(),
  estimated_run_seconds: z.number().nullable(),
  created_at: z.iso.datetime(),
  started_at: time,
  finished_at: time,
  expires_at: time.describe('When it is given up while it waits, or forgotten once it is done.'),
  attempts: z.int(),
  cancelling: z.boolean(),
  progress: z.object({ stage: z.string(), step: z.int(), steps: z.int() }).nullable(),
  result: z
    .object({
      images: z.array(picture),
      seed: z.int(),
      warnings: z.array(warning),
      seconds: z.record(z.string(), z.number()),
    })
    .nullable(),
  error: z.object({ code: z.string(), message: z.string() }).nullable(),
  links: z.object({ self: z.string(), events: z.string(), result: z.string() }),
});

export type JobView = z.infer<typeof jobView>;

export const listParameters = z.strictObject({
  state: z.enum(JOB_STATES).optional(),
  parent: z.string().max(64).optional(),
  after: z.string().max(64).optional().describe('Id of a job: only those submitted before it, for the next page.'),
  limit: z.coerce.number().int().min(1).max(100).optional().describe('Default 20.'),
});

export const deleteParameters = z.strictObject({
  forget: z
    .enum(['true', 'false'])
    .optional()
    .describe('`true`: deletes a job that is done. Default: cancels one that is not.'),
});

export const jobList = z.object({ object: z.literal('list'), data: z.array(jobView), has_more: z.boolean() });
