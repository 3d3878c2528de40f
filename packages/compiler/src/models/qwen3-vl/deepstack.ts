import type { VisionConfig } from '@vibe-edit/core/runtime';

/** A feature of the vision tower's inside that is added to the language model. */
export interface DeepstackFeature {
  /** Vision block whose output it is made of. */
  readonly block: number;
  /** Its merger in `deepstack_merger_list`. */
  readonly merger: number;
}

/**
 * The features in the order in which the language model's layers take them: by block, whatever the order of the config's list
 * (Qwen3-VL technical report, arXiv 2511.21631, section 2; DeepStack, arXiv 2406.04334).
 */
export function deepstackFeatures(config: VisionConfig): readonly DeepstackFeature[] {
  const indexes = config.deepstack_visual_indexes;
  return Array.from({ length: config.depth }, (_, block) => ({ block, merger: indexes.indexOf(block) })).filter(
    ({ merger }) => merger !== -1,
  );
}
