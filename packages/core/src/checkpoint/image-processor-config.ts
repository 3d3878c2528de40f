import { fields, finite, integer, listOf, oneOf, parseConfig } from './config-fields.js';
import type { ImageProcessorConfig } from './configs.js';
import type { JsonValue } from './parse-json.js';

const perChannel = listOf(finite(0, 1), 3, 3);
const done = oneOf(true).nullable().default(true);

// Defaults: `Qwen2VLImageProcessorFast` of transformers 4.57. Sizes are not read: the pipeline gives its own limits.
const schema = fields({
  image_processor_type: oneOf('Qwen2VLImageProcessorFast', 'Qwen2VLImageProcessor').default(
    'Qwen2VLImageProcessorFast',
  ),
  patch_size: integer(1, 256).default(14),
  merge_size: integer(1, 16).default(2),
  temporal_patch_size: integer(1, 16).default(2),
  image_mean: perChannel.default([0.48145466, 0.4578275, 0.40821073]),
  image_std: listOf(finite(0, 1, { open: true }), 3, 3).default([0.26862954, 0.26130258, 0.27577711]),
  rescale_factor: finite(0, 1, { open: true }).default(1 / 255),
  resample: oneOf(3).default(3),
  do_resize: done,
  do_rescale: done,
  do_normalize: done,
  do_convert_rgb: done,
});

/**
 * Checks `tokenizer/preprocessor_config.json` and fills in its defaults. Bicubic resizing, rescaling and normalising are
 * what this processor does; a file that switches one off is refused.
 * @throws {InvalidCheckpointError} naming the field.
 */
export function parseImageProcessorConfig({ value, file }: { value: JsonValue; file: string }): ImageProcessorConfig {
  const { patch_size, merge_size, temporal_patch_size, image_mean, image_std, rescale_factor } = parseConfig({
    schema,
    value,
    file,
  });
  return { patch_size, merge_size, temporal_patch_size, image_mean, image_std, rescale_factor };
}
