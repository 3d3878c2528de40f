import { z } from 'zod';
import type { WebhookLimits } from '../webhook-limits.js';

/**
 * Parameters of OpenAI's image routes. What this server has no use for is taken and ignored, as are names that nobody knows: clients
 * send what their version of the API has.
 */
export function imageParameters(limits: WebhookLimits) {
  return z.looseObject({
    prompt: z.string().trim().min(1).max(limits.maxInstructionLength).describe('What is to change, or to be shown.'),
    model: z.string().max(200).nullish(),
    n: z.int().min(1).max(limits.maxImages).nullish().describe('Pictures. Default 1.'),
    size: z
      .string()
      .regex(/^(auto|\d{1,5}x\d{1,5})$/, 'Expected auto or a size like 1024x1024')
      .nullish()
      .describe('The result fits inside it. Default `auto`.'),
    quality: z.string().max(40).nullish().describe('Taken and ignored: use `steps`.'),
    background: z.enum(['auto', 'opaque']).nullish(),
    input_fidelity: z.string().max(40).nullish().describe('Taken and ignored.'),
    output_format: z.enum(['png', 'jpeg', 'webp']).nullish().describe('Default `png`.'),
    output_compression: z.int().min(0).max(100).nullish().describe('For `jpeg` and `webp`. Default 100.'),
    response_format: z.literal('b64_json').nullish(),
    stream: z.boolean().nullish(),
    partial_images: z.int().min(0).max(3).nullish().describe('Pictures of the running denoising, with `stream`.'),
    seed: z.int().min(0).nullish().describe('Of this server.'),
    steps: z.int().min(1).max(limits.maxSteps).nullish().describe('Of this server: denoising steps.'),
    guidance_scale: z.number().min(0).max(100).nullish().describe('Of this server: weight of the prompt.'),
    image_guidance_scale: z.number().min(0).max(100).nullish().describe('Of this server: weight of the picture.'),
  });
}

export type ImageParameters = z.infer<ReturnType<typeof imageParameters>>;

const tokens = z.object({
  input_tokens: z.int(),
  input_tokens_details: z.object({ image_tokens: z.int(), text_tokens: z.int() }),
  output_tokens: z.int(),
  total_tokens: z.int(),
});

/** Answer of the image routes without `stream`. */
export const imagesAnswer = z.object({
  created: z.int(),
  data: z.array(z.object({ b64_json: z.string() })),
  background: z.string(),
  output_format: z.string(),
  quality: z.string(),
  size: z.string(),
  usage: tokens,
});

export const model = z.object({
  id: z.string(),
  object: z.literal('model'),
  created: z.int(),
  owned_by: z.string(),
});

export const modelList = z.object({ object: z.literal('list'), data: z.array(model) });
