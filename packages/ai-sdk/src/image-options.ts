import { InvalidArgumentError } from '@ai-sdk/provider';
import { z } from 'zod';

/** Name of this provider in `providerOptions` and `providerMetadata`. */
export const PROVIDER = 'vibe';

const imageOptions = z.strictObject({
  numInferenceSteps: z.int().min(1).max(1000).optional(),
  guidanceScale: z.number().min(0).max(100).optional(),
  imageGuidanceScale: z.number().min(0).max(100).optional(),
  preserve: z.enum(['off', 'tone', 'auto']).optional(),
  geometry: z.enum(['exact', 'reference', 'pipeline']).optional(),
  outputFormat: z.enum(['png', 'jpeg', 'webp']).optional(),
  outputQuality: z.int().min(1).max(100).optional(),
});

/** What `providerOptions: { vibe: ... }` takes. Whatever is left out is the checkpoint's or the server's own. */
export interface VibeImageOptions {
  /** Denoising steps. */
  numInferenceSteps?: number;
  /** Weight of the instruction, 0 to 100. */
  guidanceScale?: number;
  /** Weight of the source picture, 0 to 100. For edits. */
  imageGuidanceScale?: number;
  /** How far the untouched source is kept. For edits in this process. */
  preserve?: 'off' | 'tone' | 'auto';
  /** How the source is brought to working size. For edits in this process. */
  geometry?: 'exact' | 'reference' | 'pipeline';
  /** Default `png`. */
  outputFormat?: 'png' | 'jpeg' | 'webp';
  /** 1 to 100, for `jpeg` and `webp`. */
  outputQuality?: number;
}

export type ParsedImageOptions = z.infer<typeof imageOptions>;

/** @throws {InvalidArgumentError} naming the first option at fault */
export function parseImageOptions(value: unknown): ParsedImageOptions {
  const { success, data, error } = imageOptions.safeParse(value ?? {});
  if (success) return data;
  const [issue] = error.issues;
  const argument = ['providerOptions', PROVIDER, ...(issue?.path ?? [])].join('.');
  throw new InvalidArgumentError({ argument, message: `${issue?.message} for ${argument}`, cause: error });
}
