import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import type { ImageProcessorConfig, SchedulerConfig, TextEncoderConfig, TransformerConfig } from './configs.js';
import type { ModelIndex } from './model-index.js';

export interface CheckedConfigs {
  /** Folder of the checkpoint, for messages. */
  path: string;
  modelIndex: ModelIndex;
  textEncoder: TextEncoderConfig;
  transformer: TransformerConfig;
  scheduler: SchedulerConfig;
  imageProcessor: ImageProcessorConfig;
}

/**
 * Checks what one config file says against the others: the picture's patches, the width of the meta queries, the scheduler's class.
 * @throws {InvalidCheckpointError} naming file and field.
 */
export function checkConfigsFit(configs: CheckedConfigs): void {
  const { path, modelIndex, textEncoder, transformer, scheduler, imageProcessor } = configs;
  const { patch_size, spatial_merge_size, temporal_patch_size } = textEncoder.vision_config;
  const encoder = `${path}/text_encoder/config.json`;
  const pairs = [
    { file: encoder, field: 'vision_config.patch_size', expected: imageProcessor.patch_size, received: patch_size },
    {
      file: encoder,
      field: 'vision_config.spatial_merge_size',
      expected: imageProcessor.merge_size,
      received: spatial_merge_size,
    },
    {
      file: encoder,
      field: 'vision_config.temporal_patch_size',
      expected: imageProcessor.temporal_patch_size,
      received: temporal_patch_size,
    },
    {
      file: `${path}/transformer/config.json`,
      field: 'meta_queries_dim',
      expected: textEncoder.text_config.hidden_size,
      received: transformer.meta_queries_dim,
    },
    {
      file: `${path}/scheduler/scheduler_config.json`,
      field: '_class_name',
      expected: modelIndex.schedulerClass,
      received: scheduler._class_name,
    },
  ];
  for (const { file, field, expected, received } of pairs) {
    if (expected !== received) {
      throw new InvalidCheckpointError({
        file,
        field,
        expected: `${expected}, as another config of the checkpoint says,`,
        received: String(received),
      });
    }
  }
}
