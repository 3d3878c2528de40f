import type { BuildContext } from '../../build-context.js';
import { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { rmsNorm } from '../../nn/norm.js';
import { innerDim, optionalRmsNorm, QK_NORM_EPSILON } from './sana-norms.js';

const CAPTION_NORM_EPSILON = 1e-5;

/**
 * What the transformer needs of the prompt and that does not depend on the timestep: the caption projection, then the
 * cross-attention keys and values of every block. Run once an edit instead of once a step.
 *
 * ```
 * prompt_embeds -> Linear, GELU, Linear -> RMSNorm ─┬─> to_k -> norm_k -> key.N    [batch, heads, head_dim, queries], times head_dim^-1/2
 *                                                   └─> to_v ----------> value.N  [batch, heads, queries, head_dim]
 * ```
 */
export function buildTransformerContext(context: BuildContext): readonly string[] {
  const { graph, checkpoint, taps } = context;
  const { config, stateDict } = checkpoint.transformer;
  const root = Scope.root({ graph, stateDict, folder: 'transformer', key: '', path: 'transformer', taps });
  const inner = innerDim(config);
  const { num_cross_attention_heads: heads, cross_attention_head_dim: headDim } = config;
  const promptEmbeds = context.input('prompt_embeds', 'float32', ['batch', 'queries', config.caption_channels]);
  const projection = root.at('caption_projection');
  const hidden = projection.op.FastGelu(linear(projection.at('linear_1'), promptEmbeds, inner));
  const projected = projection.tap(linear(projection.at('linear_2'), hidden, inner));
  const normScope = root.at('caption_norm');
  const caption = normScope.tap(rmsNorm(normScope, projected, CAPTION_NORM_EPSILON));
  for (let index = 0; index < config.num_layers; index++) {
    const scope = root.at('transformer_blocks').at(index).at('attn2');
    const { op } = scope;
    const key = optionalRmsNorm(
      scope.at('norm_k'),
      linear(scope.at('to_k'), caption, heads * headDim),
      config,
      QK_NORM_EPSILON,
    );
    const scaled = op.Mul(key, op.float(headDim ** -0.5));
    const value = linear(scope.at('to_v'), caption, heads * headDim);
    graph.addOutput(`key.${index}`, op.Transpose(op.Reshape(scaled, [0, 0, heads, headDim]), [0, 2, 3, 1]));
    graph.addOutput(`value.${index}`, op.Transpose(op.Reshape(value, [0, 0, heads, headDim]), [0, 2, 1, 3]));
  }
  return root.missingTaps;
}
