import type { TransformerConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { RuntimeSize } from '../../ir/ops.js';
import type { Scope } from '../../ir/scope.js';
import { conv2d } from '../../nn/conv.js';
import { linear } from '../../nn/linear.js';
import { layerNorm, plainLayerNorm } from '../../nn/norm.js';
import { linearAttention } from './linear-attention.js';
import { innerDim, modulate, optionalRmsNorm, QK_NORM_EPSILON } from './sana-norms.js';

export interface TokenGrid {
  readonly height: RuntimeSize;
  readonly width: RuntimeSize;
  /** Tokens of a batch row: height * width, twice that where source tokens follow. */
  readonly tokens: RuntimeSize;
  /** [batch, tokens, 1]; only where tokens may be masked out. */
  readonly mask: Value | undefined;
}

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

  const normed = modulate(scope, plainLayerNorm(scope.at('norm1'), x, config.norm_eps), shiftAttention, scaleAttention);
  const attended = linearAttention(scope.at('attn1'), normed, config, grid.mask);
  const afterAttention = op.Add(x, op.Mul(gateAttention, attended));

  const crossed = op.Add(crossAttention(scope.at('attn2'), afterAttention, key, value, config), afterAttention);

  const norm2 = scope.at('norm2');
  const plain = config.norm_elementwise_affine
    ? layerNorm(norm2, crossed, config.norm_eps)
    : plainLayerNorm(norm2, crossed, config.norm_eps);
  const fed = feedForward(scope.at('ff'), modulate(scope, plain, shiftMlp, scaleMlp), config, grid);
  return scope.tap(op.Add(crossed, op.Mul(gateMlp, fed)));
}

/** Softmax attention of the picture's tokens to the prompt's keys and values. */
function crossAttention(scope: Scope, x: Value, key: Value, value: Value, config: TransformerConfig): Value {
  const { op } = scope;
  const { num_cross_attention_heads: heads, cross_attention_head_dim: headDim } = config;
  const query = optionalRmsNorm(
    scope.at('norm_q'),
    linear(scope.at('to_q'), x, heads * headDim),
    config,
    QK_NORM_EPSILON,
  );
  const perHead = op.Transpose(op.Reshape(query, [0, 0, heads, headDim]), [0, 2, 1, 3]);
  const attended = op.MatMul(op.Softmax(op.MatMul(perHead, key), -1), value);
  const merged = op.Reshape(op.Transpose(attended, [0, 2, 1, 3]), [0, 0, heads * headDim]);
  return scope.tap(linear(scope.at('to_out.0'), merged, innerDim(config)));
}

/**
 * GLUMBConv over the tokens laid out as pictures (noisy and source tokens each on their own).
 *
 * ```
 * 1x1 conv -> SiLU -> 3x3 depthwise -> a, b -> a * SiLU(b) -> 1x1 conv
 * ```
 */
function feedForward(scope: Scope, x: Value, config: TransformerConfig, grid: TokenGrid): Value {
  const { op } = scope;
  const inner = innerDim(config);
  const hidden = Math.trunc(config.mlp_ratio * inner);
  const picture = op.Transpose(op.Reshape(x, [-1, grid.height, grid.width, inner]), [0, 3, 1, 2]);
  const expanded = op.Silu(conv2d(scope.at('conv_inverted'), picture, { channels: 2 * hidden, kernel: 1 }));
  const mixed = conv2d(scope.at('conv_depth'), expanded, { channels: 2 * hidden, kernel: 3, groups: 2 * hidden });
  const [content, gate] = op.Split(mixed, [hidden, hidden], 1) as [Value, Value];
  const reduced = scope.tap(
    conv2d(scope.at('conv_point'), op.Mul(content, op.Silu(gate)), { channels: inner, kernel: 1 }),
  );
  return op.Reshape(op.Transpose(reduced, [0, 2, 3, 1]), [-1, grid.tokens, inner]);
}
