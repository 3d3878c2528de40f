import { z } from 'zod';

export const info = z.object({
  model: z.object({ id: z.string(), defaults: z.record(z.string(), z.union([z.number(), z.string()])) }),
  authentication: z.enum(['api_key', 'local', 'other']),
  callbacks: z.boolean().describe('Whether `callback_url` can be used.'),
  limits: z.object({
    max_body_bytes: z.int(),
    max_image_bytes: z.int(),
    max_pixels: z.int(),
    max_instruction_length: z.int(),
    max_images: z.int(),
    max_steps: z.int(),
    max_side: z.int(),
  }),
});

export const queueView = z.object({
  queued: z.int(),
  running: z.int(),
  oldest_wait_seconds: z.number(),
  workers: z.int(),
  own: z.object({ queued: z.int(), running: z.int() }),
});

export const callbackSecret = z.object({ secret: z.string().describe('`whsec_` and base64.') });

export const status = z.object({
  status: z.enum(['ok', 'ready', 'not_ready']),
  reason: z.enum(['closing', 'queue']).optional(),
});
