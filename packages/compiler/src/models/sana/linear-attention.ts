import type { TransformerConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { innerDim, optionalRmsNorm, QK_NORM_EPSILON } from './sana-norms.js';
import type { TokenGrid } from './token-grid.js';

/**
 * ReLU linear attention (Sana, arXiv 2410.10629, section 2.2): cost grows with the number of tokens, not its square.
 *
 * ```
 * q = relu(norm(x Wq))   k = relu(norm(x Wk))   v = [x Wv | 1]
 * s = k^T v              [batch, heads, head_dim, head_dim + 1]
 * y = (q s)[..., :-1] / ((q s)[..., -1:] + 1e-15)
 * ```
 *
 * @param x [batch * tokens, inner]
 * @returns [batch * tokens, inner]
 */
export function linearAttention(scope: Scope, x: Value, config: TransformerConfig, grid: TokenGrid): Value {
  const { op } = scope;
  const { num_attention_heads: heads, attention_head_dim: headDim } = config;
  const inner = innerDim(config);
  const projected = (name: string): Value => linear(scope.at(`to_${name}`), x, inner, { bias: config.attention_bias });
  const normed = (name: string): Value =>
    optionalRmsNorm(scope.at(`norm_${name}`), projected(name), config, QK_NORM_EPSILON);
  const masked = (value: Value): Value =>
    grid.mask === undefined ? value : op.Mul(value, op.Reshape(grid.mask, [-1, 1]));
  const perHead = (value: Value, perm: readonly number[]): Value =>
    op.Transpose(op.Reshape(value, [-1, grid.tokens, heads, headDim]), perm);
  const q = perHead(op.Relu(normed('q')), [0, 2, 1, 3]);
  const k = perHead(masked(op.Relu(normed('k'))), [0, 2, 3, 1]);
  const v = perHead(masked(projected('v')), [0, 2, 1, 3]);
  const state = op.MatMul(k, op.Concat([v, grid.ones], 3));
  const [numerator, denominator] = op.Split(op.MatMul(q, state), [headDim, 1], 3) as [Value, Value];
  const attended = op.Div(numerator, op.Add(denominator, op.float(1e-15)));
  const merged = op.Reshape(op.Transpose(attended, [0, 2, 1, 3]), [-1, inner]);
  return linear(scope.at('to_out.0'), merged, inner);
}
