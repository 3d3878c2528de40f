import type { BuildContext } from '../../build-context.js';
import type { Value } from '../../ir/graph.js';
import { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { layerNorm } from '../../nn/norm.js';

/** No config names it: the authors' constructor default. */
const HEADS = 16;
const EPSILON = 1e-5;

/**
 * `edit_head`: turns the hidden states of the meta queries into the transformer's conditioning.
 *
 * ```
 * hidden_states + meta_queries -> input_proj -> n x block -> LayerNorm -> Linear -> prompt_embeds
 *
 * block:  x -> input_norm  -> self-attention  -> (+) -> output_norm -> fc2(silu(fc1) * fc3) -> (+)
 *         └───────────────────────────────────┘    └───────────────────────────────────────┘
 * ```
 */
export function buildConnector(context: BuildContext): readonly string[] {
  const { graph, checkpoint, taps } = context;
  const { config, stateDict } = checkpoint.transformer;
  const root = Scope.root({ graph, stateDict, folder: 'transformer', key: '', path: '', taps });
  const head = root.at('edit_head');
  const hiddenStates = context.input('hidden_states', 'float32', [
    'batch',
    config.num_meta_queries,
    config.meta_queries_dim,
  ]);
  const queries = root.weight('meta_queries', [config.num_meta_queries, config.meta_queries_dim]);
  const [width] = head.at('input_proj').shapeOf('weight');
  let x = linear(head.at('input_proj'), head.op.Add(hiddenStates, queries), width as number);
  head.at('input_proj').tap(x);
  for (let index = 0; index < config.edit_head_stacks_num; index++) {
    x = block(head.at('attn_blocks').at(index), x, width as number);
  }
  const normed = layerNorm(head.at('output_proj.0'), x, EPSILON);
  graph.addOutput('prompt_embeds', head.tap(linear(head.at('output_proj.1'), normed, config.caption_channels)));
  return root.missingTaps;
}

function block(scope: Scope, x: Value, width: number): Value {
  const { op } = scope;
  const attended = op.Add(x, selfAttention(scope.at('attn'), layerNorm(scope.at('input_norm'), x, EPSILON), width));
  const mlp = scope.at('mlp');
  const normed = layerNorm(scope.at('output_norm'), attended, EPSILON);
  const gated = op.Mul(op.Silu(linear(mlp.at('fc1'), normed, 4 * width)), linear(mlp.at('fc3'), normed, 4 * width));
  return scope.tap(op.Add(attended, linear(mlp.at('fc2'), gated, width)));
}

/** torch's `nn.MultiheadAttention`: one packed projection for query, key and value. */
function selfAttention(scope: Scope, x: Value, width: number): Value {
  const { op } = scope;
  const headDim = width / HEADS;
  if (!Number.isInteger(headDim))
    op.fail('MultiheadAttention', `a width that is a multiple of ${HEADS}`, String(width));
  const weight = scope.weight('in_proj_weight', [3 * width, width]);
  const packed = op.Add(op.MatMul(x, op.Transpose(weight, [1, 0])), scope.weight('in_proj_bias', [3 * width]));
  const [q, k, v] = op
    .Split(packed, [width, width, width], -1)
    .map((part) => op.Reshape(part, [0, 0, HEADS, headDim])) as [Value, Value, Value];
  const scores = op.MatMul(
    op.Transpose(op.Mul(q, op.float(headDim ** -0.5)), [0, 2, 1, 3]),
    op.Transpose(k, [0, 2, 3, 1]),
  );
  const attended = op.MatMul(op.Softmax(scores, -1), op.Transpose(v, [0, 2, 1, 3]));
  const merged = op.Reshape(op.Transpose(attended, [0, 2, 1, 3]), [0, 0, width]);
  return linear(scope.at('out_proj'), merged, width);
}
