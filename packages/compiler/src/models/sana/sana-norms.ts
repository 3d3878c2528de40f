import type { TransformerConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { rmsNorm } from '../../nn/norm.js';

/** diffusers' default for the query and key norms of an attention. */
export const QK_NORM_EPSILON = 1e-5;

/** Width of the transformer. */
export function innerDim(config: TransformerConfig): number {
  return config.num_attention_heads * config.attention_head_dim;
}

/** The query or key norm over all heads together, where the config has one. */
export function optionalRmsNorm(scope: Scope, x: Value, config: TransformerConfig, epsilon: number): Value {
  return config.qk_norm === null ? x : rmsNorm(scope, x, epsilon);
}

/** x * (1 + scale) + shift */
export function modulate(scope: Scope, x: Value, shift: Value, scale: Value): Value {
  const { op } = scope;
  return op.Add(op.Mul(x, op.Add(scale, op.float(1))), shift);
}
