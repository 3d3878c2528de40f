import type { VisionConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { layerNorm } from '../../nn/norm.js';
import { VISION_EPSILON } from './vision-block.js';

/**
 * Merges the patches of a block (they stand one after the other) into one image token: x [patches, hidden] to
 * [image_tokens, out_hidden].
 *
 * ```
 * LayerNorm over a patch, merge, fc1, GELU (exact), fc2      the last merger
 * merge, LayerNorm over the block, fc1, GELU (exact), fc2    `deepstack_merger_list`
 * ```
 */
export function patchMerger(scope: Scope, x: Value, options: { config: VisionConfig; norm: 'patch' | 'block' }): Value {
  const { op } = scope;
  const { config, norm } = options;
  const width = config.hidden_size * config.spatial_merge_size ** 2;
  const merge = (value: Value): Value => op.Reshape(value, [-1, width]);
  const merged =
    norm === 'patch'
      ? merge(layerNorm(scope.at('norm'), x, VISION_EPSILON))
      : layerNorm(scope.at('norm'), merge(x), VISION_EPSILON);
  const expanded = op.Gelu(linear(scope.at('linear_fc1'), merged, width));
  return scope.tap(linear(scope.at('linear_fc2'), expanded, config.out_hidden_size));
}
