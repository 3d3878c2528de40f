import type { Warning } from '@vibe-edit/core';
import { badRequest } from '../api-error.js';
import type { WebhookLimits } from '../webhook-limits.js';
import type { WebhookModel } from '../webhook-options.js';
import type { ImageParameters } from './image-parameters.js';

/** OpenAI's levels of quality, old names included, as shares of the steps that the model takes by itself. */
const SHARES: Readonly<Record<string, number>> = { low: 0.5, auto: 1, medium: 1, standard: 1, high: 2, hd: 2 };

/** The level as answers name it: their types know no others. */
export function qualityLevel({ quality = 'auto' }: ImageParameters): 'low' | 'medium' | 'high' {
  const share = shareOf(quality) ?? 1;
  return share < 1 ? 'low' : share > 1 ? 'high' : 'medium';
}

/**
 * How many denoising steps a request asks for: by their number, else by `quality`, and then at least one more than it wants partial
 * images of them.
 * @returns No `steps`: as many as the model takes by itself.
 * @throws {ApiError} 400 when both names of the number are there and differ.
 */
export function denoisingSteps(
  params: ImageParameters,
  { model, limits }: { model: WebhookModel; limits: Pick<WebhookLimits, 'maxSteps'> },
): { steps?: number; warnings: readonly Warning[] } {
  const { steps, num_inference_steps: number = steps, quality = 'auto' } = params;
  if (steps !== undefined && steps !== number) {
    throw badRequest(`Expected one number of steps but received ${number} and ${steps}`, { param: 'steps' });
  }
  if (number !== undefined) return { steps: number, warnings: [] };
  const share = shareOf(quality);
  const usual = Number(model.defaults?.numInferenceSteps);
  const least = params.stream === true ? (params.partial_images ?? 0) + 1 : 1;
  if (share === 1 && !(least > usual)) return { warnings: [] };
  if (share === undefined || !(usual >= 1)) {
    const why = share === undefined ? 'it is none of low, medium and high' : 'use num_inference_steps';
    return {
      warnings: [{ code: 'quality-ignored', message: `quality ${JSON.stringify(quality)} changed nothing: ${why}` }],
    };
  }
  return { steps: Math.min(limits.maxSteps, Math.max(least, Math.round(usual * share))), warnings: [] };
}

function shareOf(quality: string): number | undefined {
  return Object.hasOwn(SHARES, quality) ? SHARES[quality] : undefined;
}
