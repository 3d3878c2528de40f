import { basename } from 'node:path';
import type { WebhookModel } from '@vibe-edit/bots/webhook';
import { type Checkpoint, parseRepository } from '@vibe-edit/core';

/** What the API says of a model: the name by which the checkpoint was chosen, and what it takes by itself. */
export function modelOf(name: string | undefined, checkpoint: Checkpoint | undefined): WebhookModel {
  const id = name === undefined ? 'vibe-edit-nano' : parseRepository(name) === undefined ? basename(name) : name;
  if (checkpoint === undefined) return { id };
  const { numInferenceSteps, guidanceScale, imageGuidanceScale } = checkpoint.defaults;
  return { id, defaults: { numInferenceSteps, guidanceScale, imageGuidanceScale } };
}
