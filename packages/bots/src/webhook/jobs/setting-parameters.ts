import type { JobRequest, JobSettings } from '@vibe-edit/core';
import { z } from 'zod';
import { badRequest } from '../api-error.js';
import type { WebhookLimits } from '../webhook-limits.js';

/** Parameters of both APIs that say how the model works; what is left out is the checkpoint's. */
export function settingParameters(limits: WebhookLimits) {
  return {
    seed: z.int().min(0).optional().describe('Of the noise that an edit starts from. Default 42.'),
    num_inference_steps: z.int().min(1).max(limits.maxSteps).optional().describe('Denoising steps.'),
    guidance_scale: z.number().min(0).max(100).optional().describe('Weight of the instruction.'),
    image_guidance_scale: z.number().min(0).max(100).optional().describe('Weight of the picture; only for edits.'),
    geometry: z
      .enum(['exact', 'reference', 'pipeline'])
      .optional()
      .describe("How sizes are handled: as they are (default), or as the authors' code does; only for edits."),
    preserve: z
      .enum(['off', 'tone', 'auto'])
      .optional()
      .describe('How far the untouched picture is kept; only for edits.'),
  };
}

export type SettingParameters = z.infer<z.ZodObject<ReturnType<typeof settingParameters>>>;

const ONLY_FOR_EDITS = ['image_guidance_scale', 'geometry', 'preserve'] as const;

/**
 * The settings of a job.
 * @throws {ApiError} 400
 */
export function settingsOf(
  params: SettingParameters & { size?: string | undefined; num_images?: number | undefined },
  { kind, maxSide }: { kind: JobRequest['kind']; maxSide: number },
): JobSettings {
  for (const param of ONLY_FOR_EDITS) {
    if (kind === 'generate' && params[param] !== undefined) {
      throw badRequest(`Expected no ${param} without a picture`, { param });
    }
  }
  const { size } = params;
  const entries = {
    seed: params.seed,
    numInferenceSteps: params.num_inference_steps,
    guidanceScale: params.guidance_scale,
    imageGuidanceScale: params.image_guidance_scale,
    numImages: params.num_images,
    geometry: params.geometry,
    preserve: params.preserve,
    size: size === undefined ? undefined : parseSize(size, maxSide),
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

/** A size as text; whole numbers above 0. */
function parseSize(text: string, maxSide: number): { width: number; height: number } {
  const [width = 0, height = 0] = text.split('x').map(Number);
  const good = (side: number): boolean => Number.isInteger(side) && side >= 1 && side <= maxSide;
  if (good(width) && good(height)) return { width, height };
  throw badRequest(`Expected a size of at most ${maxSide}x${maxSide} but received ${text.slice(0, 40)}`, {
    param: 'size',
  });
}
