import type { VisionConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { layerNorm } from '../../nn/norm.js';
import type { CompileTarget } from '../../target.js';
import { activation } from './activation.js';

/** Of every LayerNorm of the vision tower; in no config. */
export const VISION_EPSILON = 1e-6;

export interface VisionBlockInputs {
  readonly config: VisionConfig;
  readonly attention: CompileTarget['attention'];
  /** Rotary tables [patches, head_dim / 2]. */
  readonly cos: Value;
  readonly sin: Value;
}

/**
 * One block of the vision tower on x [patches, hidden].
 *
 * ```
 * x -> norm1 -> attention -> (+) -> norm2 -> fc2(act(fc1)) -> (+)
 * └──────────────────────────┘ └─────────────────────────────┘
 * ```
 */
export function visionBlock(scope: Scope, x: Value, inputs: VisionBlockInputs): Value {
  const { op } = scope;
  const { config } = inputs;
  const attended = op.Add(x, selfAttention(scope.at('attn'), layerNorm(scope.at('norm1'), x, VISION_EPSILON), inputs));
  const mlp = scope.at('mlp');
  const normed = layerNorm(scope.at('norm2'), attended, VISION_EPSILON);
  const expanded = activation(
    op,
    linear(mlp.at('linear_fc1'), normed, config.intermediate_size),
    config.hidden_act,
    'vision_config',
  );
  return scope.tap(op.Add(attended, linear(mlp.at('linear_fc2'), expanded, config.hidden_size)));
}

/** Every patch of the picture attends to every other; rows and columns come in by rotary positions. */
function selfAttention(scope: Scope, x: Value, inputs: VisionBlockInputs): Value {
  const { op } = scope;
  const { config, attention, cos, sin } = inputs;
  const { hidden_size: width, num_heads: heads } = config;
  const headDim = width / heads;
  const [query, key, value] = op.Split(linear(scope.at('qkv'), x, 3 * width), [width, width, width], 1) as [
    Value,
    Value,
    Value,
  ];
  const rotate = (part: Value): Value => op.RotaryEmbedding(op.Unsqueeze(part, [0]), op.int64([0]), cos, sin);
  const [q, k] = [rotate(query), rotate(key)];
  if (attention === 'fused') {
    const attended = op.MultiHeadAttention(q, k, op.Unsqueeze(value, [0]), heads);
    return linear(scope.at('proj'), op.Reshape(attended, [-1, width]), width);
  }
  const perHead = (part: Value, perm: readonly number[]): Value =>
    op.Transpose(op.Reshape(part, [-1, heads, headDim]), perm);
  const scores = op.MatMul(perHead(op.Mul(q, op.float(headDim ** -0.5)), [1, 0, 2]), perHead(k, [1, 2, 0]));
  const attended = op.MatMul(op.Softmax(scores, -1), perHead(value, [1, 0, 2]));
  return linear(scope.at('proj'), op.Reshape(op.Transpose(attended, [1, 0, 2]), [-1, width]), width);
}
