import { fields, finite, flag, integer, oneOf, parseConfig } from './config-fields.js';
import type { CheckpointDefaults, TransformerConfig } from './configs.js';
import type { JsonValue } from './parse-json.js';

const schema = fields({
  num_inference_steps: integer(1, 1000).optional(),
  guidance_scale: finite(0, 100).optional(),
  image_guidance_scale: finite(0, 100).optional(),
  preserve: oneOf('off', 'tone', 'auto').optional(),
  null_distance: finite(0, 10).optional(),
  text_to_image: flag().optional(),
});

/**
 * The parameters that a checkpoint is best run with: those of its `vibe_edit.json` where it has one, else the authors' (20 steps,
 * guidance 4.5 and 1.2). With guidance distilled into the weights both scales are 1, which is a single branch a step.
 * @throws {InvalidCheckpointError} naming the field.
 */
export function checkpointDefaults({
  value = {},
  file,
  transformer,
}: {
  /** The parsed `vibe_edit.json`, where there is one. */
  value?: JsonValue;
  file: string;
  transformer: TransformerConfig;
}): CheckpointDefaults {
  const own = parseConfig({ schema, value, file });
  return {
    numInferenceSteps: own.num_inference_steps ?? 20,
    guidanceScale: own.guidance_scale ?? (transformer.cfg_distilled ? 1 : 4.5),
    imageGuidanceScale: own.image_guidance_scale ?? (transformer.cfg_distilled ? 1 : 1.2),
    preserve: own.preserve ?? 'off',
    nullDistance: own.null_distance,
    textToImage: own.text_to_image ?? true,
  };
}
