import type { TransformerConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { innerDim, optionalRmsNorm, QK_NORM_EPSILON } from './sana-norms.js';

/**
 * ReLU linear attention (Sana, arXiv 2410.10629, section 2.2): cost grows with the number of tokens, not its square.
 *
 * ```
 * q = relu(norm(x Wq))   k = relu(norm(x Wk))   v = [x Wv | 1]
 * s = k^T v              [batch, heads, head_dim, head_dim + 1]
 * y = (q s)[..., :-1] / ((q s)[..., -1:] + 1e-15)
 * ```
 *
 * @param tokenMask [batch, tokens, 1]: 0 takes a token's key and value out; none: all count.
 */
export function linearAttention(
  scope: Scope,
  x: Value,
  config: TransformerConfig,
  tokenMask: Value | undefined,
): Value {
  const { op } = scope;
  const { num_attention_heads: heads, attention_head_dim: headDim } = config;
  const inner = innerDim(config);
  const normed = (name: string): Value =>
    optionalRmsNorm(scope.at(`norm_${name}`), linear(scope.at(`to_${name}`), x, inner), config, QK_NORM_EPSILON);
  const q = op.Relu(normed('q'));
  let k = op.Relu(normed('k'));
  let v = linear(scope.at('to_v'), x, inner);
  if (tokenMask !== undefined) {
    k = op.Mul(k, tokenMask);
    v = op.Mul(v, tokenMask);
  }
  const perHead = (value: Value, perm: readonly number[]): Value =>
    op.Transpose(op.Reshape(value, [0, 0, heads, headDim]), perm);
  const values = perHead(v, [0, 2, 1, 3]);
  // Clipping any column to 1..1 makes the ones without asking for a shape.
  const padded = op.Concat([values, op.Clip(op.Slice(values, 3, 0, 1), 1, 1)], 3);
  const state = op.MatMul(perHead(k, [0, 2, 3, 1]), padded);
  const [numerator, denominator] = op.Split(op.MatMul(perHead(q, [0, 2, 1, 3]), state), [headDim, 1], 3) as [
    Value,
    Value,
  ];
  const attended = op.Div(numerator, op.Add(denominator, op.float(1e-15)));
  return scope.tap(
    linear(scope.at('to_out.0'), op.Reshape(op.Transpose(attended, [0, 2, 1, 3]), [0, 0, inner]), inner),
  );
}
