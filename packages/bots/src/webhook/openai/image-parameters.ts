import { z } from 'zod';
import { warning } from '../jobs/job-schema.js';
import { settingParameters } from '../jobs/setting-parameters.js';
import type { WebhookLimits } from '../webhook-limits.js';

/**
 * Parameters of OpenAI's image routes, and this server's own. What this server has no use for is taken and ignored, as are names that
 * nobody knows: clients send what their version of the API has.
 */
export function imageParameters(limits: WebhookLimits) {
  const ignored = z.unknown().optional().describe('Changes nothing here.');
  return z.looseObject({
    prompt: z.string().trim().min(1).max(limits.maxInstructionLength).describe('What is to change, or to be shown.'),
    model: z.string().max(200).optional(),
    n: z.int().min(1).max(limits.maxImages).optional().describe('Pictures. Default 1.'),
    size: z
      .string()
      .regex(/^(auto|\d{1,5}x\d{1,5})$/, 'Expected auto or a size like 1024x1024')
      .optional()
      .describe('The result fits inside it. Default `auto`.'),
    quality: z
      .string()
      .max(40)
      .optional()
      .describe(
        '`low`: half as many steps as the model takes by itself; `high` (or `hd`): twice as many; others: as many.',
      ),
    background: z.enum(['auto', 'opaque']).optional(),
    output_format: z.enum(['png', 'jpeg', 'webp']).optional().describe('Default `png`.'),
    output_compression: z.int().min(0).max(100).optional().describe('For `jpeg` and `webp`. Default 100.'),
    response_format: z.literal('b64_json').optional(),
    stream: z.boolean().optional(),
    partial_images: z.int().min(0).max(3).optional().describe('Pictures of the running denoising, with `stream`.'),
    input_fidelity: ignored,
    moderation: ignored,
    style: ignored,
    user: ignored,
    ...settingParameters(limits),
    steps: z.int().min(1).max(limits.maxSteps).optional().describe('The same as `num_inference_steps`.'),
  });
}

export type ImageParameters = z.infer<ReturnType<typeof imageParameters>>;

const tokens = z.object({
  input_tokens: z.int(),
  input_tokens_details: z.object({ image_tokens: z.int(), text_tokens: z.int() }),
  output_tokens: z.int(),
  total_tokens: z.int(),
});

/** What all answers say besides the pictures. */
export const aboutResult = {
  seed: z.int().describe('Of this server: what the result was made with.'),
  warnings: z.array(warning).describe('Of this server, e.g. that an instruction was not understood.'),
  usage: tokens.describe('All 0: nothing is counted or billed.'),
};

/** Answer of the image routes without `stream`. */
export const imagesAnswer = z.object({
  created: z.int(),
  data: z.array(z.object({ b64_json: z.string() })),
  background: z.string(),
  output_format: z.string(),
  quality: z.string(),
  size: z.string(),
  ...aboutResult,
});

export const model = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
});

export const modelList = z.object({ object: z.literal('list'), data: z.array(model) });
