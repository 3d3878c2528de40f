import type { TransformerConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { layerNorm, plainLayerNorm } from '../../nn/norm.js';
import { linearAttention } from './linear-attention.js';
import { innerDim, modulate, optionalRmsNorm, QK_NORM_EPSILON } from './sana-norms.js';
import type { TokenGrid } from './token-grid.js';

/**
 * One Sana block.
 *
 * ```
 * x -> norm1, modulate -> linear attention   -> * gate -> (+)
 *   -> cross-attention to the prompt                   -> (+)
 *   -> norm2, modulate -> GLUMBConv          -> * gate -> (+)
 * ```
 *
 * @param modulation [batch, 6, inner]: shift, scale, gate of the attention, then of the feed-forward.
 * @param key The prompt's keys, already scaled, [batch, heads, head_dim, queries].
 * @param value The prompt's values, [batch, heads, queries, head_dim].
 */
export function transformerBlock(
  scope: Scope,
  x: Value,
  inputs: { config: TransformerConfig; modulation: Value; key: Value; value: Value; grid: TokenGrid },
): Value {
  const { op } = scope;
  const { config, modulation, key, value, grid } = inputs;
  const inner = innerDim(config);
  const table = scope.weight('scale_shift_table', [6, inner]);
  const parts = op.Split(op.Add(modulation, table), [1, 1, 1, 1, 1, 1], 1);
  const [shiftAttention, scaleAttention, gateAttention, shiftMlp, scaleMlp, gateMlp] = parts as [
    Value,
    Value,
    Value,
    Value,
    Value,
    Value,
  ];

  // Linear layers take the tokens of all rows as one matrix: bias included in one node, weights as the checkpoint has them.
  const flat = (value: Value): Value => op.Reshape(value, [-1, inner]);
  const perRow = (value: Value): Value => op.Reshape(value, [-1, grid.tokens, inner]);

  const normed = modulate(scope, plainLayerNorm(scope.at('norm1'), x, config.norm_eps), shiftAttention, scaleAttention);
  const attention = scope.at('attn1');
  const attended = attention.tap(perRow(linearAttention(attention, flat(normed), config, grid)));
  const afterAttention = op.Add(x, op.Mul(gateAttention, attended));

  const cross = scope.at('attn2');
  const read = cross.tap(perRow(crossAttention(cross, flat(afterAttention), { key, value, config, grid })));
  const crossed = op.Add(read, afterAttention);

  const norm2 = scope.at('norm2');
  const plain = config.norm_elementwise_affine
    ? layerNorm(norm2, crossed, config.norm_eps)
    : plainLayerNorm(norm2, crossed, config.norm_eps);
  const fed = feedForward(scope.at('ff'), modulate(scope, plain, shiftMlp, scaleMlp), config, grid);
  return scope.tap(op.Add(crossed, op.Mul(gateMlp, fed)));
}

/** Softmax attention of the picture's tokens [batch * tokens, inner] to the prompt's keys and values. */
function crossAttention(
  scope: Scope,
  x: Value,
  inputs: { key: Value; value: Value; config: TransformerConfig; grid: TokenGrid },
): Value {
  const { op } = scope;
  const { key, value, config, grid } = inputs;
  const { num_cross_attention_heads: heads, cross_attention_head_dim: headDim } = config;
  const query = optionalRmsNorm(
    scope.at('norm_q'),
    linear(scope.at('to_q'), x, heads * headDim),
    config,
    QK_NORM_EPSILON,
  );
  const perHead = op.Transpose(op.Reshape(query, [-1, grid.tokens, heads, headDim]), [0, 2, 1, 3]);
  const attended = op.MatMul(op.Softmax(op.MatMul(perHead, key), -1), value);
  const merged = op.Reshape(op.Transpose(attended, [0, 2, 1, 3]), [-1, heads * headDim]);
  return linear(scope.at('to_out.0'), merged, innerDim(config));
}

/**
 * GLUMBConv over the tokens laid out as pictures (noisy and source tokens each on their own).
 *
 * ```
 *     ┌─ 1x1 conv -> SiLU -> 3x3 depthwise ───────── (x) -> 1x1 conv
 * x ──┴─ 1x1 conv -> SiLU -> 3x3 depthwise -> SiLU ───┘
 * ```
 *
 * The checkpoint has both rows as one layer whose result is cut in two. Here each row reads its half of the weights, and the two
 * halves of the widest maps are never copied. The 1x1 convolutions are matrix products over the tokens of all rows, which is what
 * runtimes are fastest at.
 */
function feedForward(scope: Scope, x: Value, config: TransformerConfig, grid: TokenGrid): Value {
  const { op } = scope;
  const inner = innerDim(config);
  const hidden = Math.trunc(config.mlp_ratio * inner);
  const [inverted, depth, point] = [scope.at('conv_inverted'), scope.at('conv_depth'), scope.at('conv_point')];
  const flat = (width: number, value: Value): Value => op.Reshape(value, [-1, width]);
  const asPictures = (width: number, value: Value): Value =>
    op.Transpose(op.Reshape(value, [-1, grid.height, grid.width, width]), [0, 3, 1, 2]);
  const asTokens = (value: Value): Value => op.Transpose(value, [0, 2, 3, 1]);
  const tokens = flat(inner, x);
  const weights = inverted.weightHalves('weight', [2 * hidden, inner, 1, 1]);
  const biases = inverted.weightHalves('bias', [2 * hidden]);
  const depthWeights = depth.weightHalves('weight', [2 * hidden, 1, 3, 3]);
  const depthBiases = depth.weightHalves('bias', [2 * hidden]);
  const [content, gate] = [0, 1].map((half) => {
    const expanded = op.Silu(op.Gemm(tokens, flat(inner, weights[half] as Value), biases[half]));
    const pictures = asPictures(hidden, expanded);
    return op.Conv(pictures, depthWeights[half] as Value, depthBiases[half], { padding: 1, groups: hidden });
  }) as [Value, Value];
  const gated = flat(hidden, asTokens(op.Mul(content, op.Silu(gate))));
  const reduced = op.Gemm(gated, flat(hidden, point.weight('weight', [inner, hidden, 1, 1])), undefined);
  return op.Reshape(asTokens(scope.tap(asPictures(inner, reduced))), [-1, grid.tokens, inner]);
}
