import type { TextConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { rmsNorm } from '../../nn/norm.js';
import { activation } from './activation.js';

/** What every layer of the language model shares. */
export interface DecoderInputs {
  readonly config: TextConfig;
  /** int64 [batch, sequence]: row of each token in the rotary tables. */
  readonly rows: Value;
  /** Rotary tables [batch * sequence, head_dim / 2]. */
  readonly cos: Value;
  readonly sin: Value;
  readonly causal: Causal;
}

/** How attention is kept from looking ahead. */
export type Causal =
  | {
      readonly kind: 'fused';
      /** int32 [batch]: index of each row's last token. */
      readonly lastIndex: Value;
      /** int32 scalar: tokens of a row. */
      readonly length: Value;
    }
  | {
      readonly kind: 'plain';
      /** [sequence, sequence]: 0 where a token (row) may look, a very negative number where it may not. */
      readonly bias: Value;
    };

/**
 * One layer of Qwen3's decoder on x [batch, sequence, hidden].
 *
 * ```
 * x -> input_layernorm -> attention -> (+) -> post_attention_layernorm -> down(act(gate) * up) -> (+)
 * └────────────────────────────────────┘ └────────────────────────────────────────────────────────┘
 * ```
 */
export function decoderLayer(scope: Scope, x: Value, inputs: DecoderInputs): Value {
  const { op } = scope;
  const { config } = inputs;
  const normed = rmsNorm(scope.at('input_layernorm'), x, config.rms_norm_eps);
  const attended = op.Add(x, selfAttention(scope.at('self_attn'), normed, inputs));
  const mlp = scope.at('mlp');
  const fed = rmsNorm(scope.at('post_attention_layernorm'), attended, config.rms_norm_eps);
  const gate = activation(
    op,
    linear(mlp.at('gate_proj'), fed, config.intermediate_size, { bias: false }),
    config.hidden_act,
    'text_config',
  );
  const gated = op.Mul(gate, linear(mlp.at('up_proj'), fed, config.intermediate_size, { bias: false }));
  return scope.tap(op.Add(attended, linear(mlp.at('down_proj'), gated, config.hidden_size, { bias: false })));
}

/**
 * Causal attention in which groups of heads share a key and value (GQA, arXiv 2305.13245).
 *
 * ```
 * q = rope(norm(x Wq)), k = rope(norm(x Wk))    norms over each head
 * softmax(q k^T / sqrt(head_dim) + causal) v -> o_proj
 * ```
 */
function selfAttention(scope: Scope, x: Value, inputs: DecoderInputs): Value {
  const { op } = scope;
  const { config, causal } = inputs;
  const { num_attention_heads: heads, num_key_value_heads: keyValueHeads, head_dim: headDim } = config;
  const q = rotated(scope, x, 'q', heads, inputs);
  const k = rotated(scope, x, 'k', keyValueHeads, inputs);
  const v = projected(scope, x, 'v_proj', keyValueHeads * headDim, config);
  const attended =
    causal.kind === 'fused'
      ? op.GroupQueryAttention(q, k, v, { heads, keyValueHeads, lastIndex: causal.lastIndex, length: causal.length })
      : groupedAttention(scope, q, k, v, config, causal.bias);
  return projected(scope, attended, 'o_proj', config.hidden_size, config);
}

/** Queries or keys [batch, sequence, heads * head_dim], normalised per head and turned by their positions. */
function rotated(scope: Scope, x: Value, name: 'q' | 'k', heads: number, inputs: DecoderInputs): Value {
  const { op } = scope;
  const { config, rows, cos, sin } = inputs;
  const width = heads * config.head_dim;
  const perHead = op.Reshape(projected(scope, x, `${name}_proj`, width, config), [0, 0, heads, config.head_dim]);
  const normed = op.Reshape(rmsNorm(scope.at(`${name}_norm`), perHead, config.rms_norm_eps), [0, 0, width]);
  return op.RotaryEmbedding(normed, rows, cos, sin);
}

function projected(scope: Scope, x: Value, name: string, width: number, config: TextConfig): Value {
  return linear(scope.at(name), x, width, { bias: config.attention_bias });
}

/** The heads of a group are an axis of their own, over which keys and values broadcast: they are never repeated in memory. */
function groupedAttention(scope: Scope, q: Value, k: Value, v: Value, config: TextConfig, bias: Value): Value {
  const { op } = scope;
  const { num_attention_heads: heads, num_key_value_heads: keyValueHeads, head_dim: headDim } = config;
  const split = (value: Value, group: number): Value => op.Reshape(value, [0, 0, keyValueHeads, group, headDim]);
  const queries = op.Transpose(split(op.Mul(q, op.float(headDim ** -0.5)), heads / keyValueHeads), [0, 2, 3, 1, 4]);
  const keys = op.Transpose(split(k, 1), [0, 2, 3, 4, 1]);
  const values = op.Transpose(split(v, 1), [0, 2, 3, 1, 4]);
  const scores = op.Add(op.MatMul(queries, keys), bias);
  const attended = op.MatMul(op.Softmax(scores, -1), values);
  return op.Reshape(op.Transpose(attended, [0, 3, 1, 2, 4]), [0, 0, heads * headDim]);
}
