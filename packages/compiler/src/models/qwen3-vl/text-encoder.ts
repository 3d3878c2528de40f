import type { BuildContext } from '../../build-context.js';
import type { Value } from '../../ir/graph.js';
import { Scope } from '../../ir/scope.js';
import { rmsNorm } from '../../nn/norm.js';
import { type Causal, type DecoderInputs, decoderLayer } from './decoder-layer.js';
import { deepstackFeatures } from './deepstack.js';

/** GroupQueryAttention takes heads of multiples of this width only. */
const GQA_HEAD_DIM_STEP = 8;

/** Added to the scores of tokens that lie ahead: their weight becomes exactly 0. */
const MASKED = 1e30;

/**
 * The language model of Qwen3-VL as a prompt encoder: token embeddings, image embeddings and meta queries in, the last hidden
 * states of the meta queries out. Nothing is generated.
 *
 * ```
 * input_ids -> embed_tokens ┐
 *              image_embeds ┼ concat -> gather -> layer 0 -> (+) -> layer 1 -> (+) -> ... -> norm -> gather -> meta_hidden_states
 *              meta_queries ┘                  deepstack.0 ───┘ deepstack.1 ────┘
 * ```
 */
export function buildTextEncoder(context: BuildContext): readonly string[] {
  const { graph, checkpoint, taps, target } = context;
  const { config: textEncoder, stateDict } = checkpoint.textEncoder;
  const config = textEncoder.text_config;
  const { hidden_size: width, head_dim: headDim } = config;
  const model = Scope.root({
    graph,
    stateDict,
    folder: 'text_encoder',
    key: 'model.language_model',
    path: 'language_model',
    taps,
  });
  const { op } = model;

  const ids = context.input('input_ids', 'int64', ['batch', 'sequence']);
  const embeddingIndex = context.input('embedding_index', 'int64', ['batch', 'sequence']);
  const deepstackIndex = context.input('deepstack_index', 'int64', ['batch', 'sequence']);
  const imageEmbeds = context.input('image_embeds', 'float32', ['image_tokens', width]);
  const deepstack = deepstackFeatures(textEncoder.vision_config).map((_, index) =>
    context.input(`deepstack.${index}`, 'float32', ['image_tokens', width]),
  );
  // Rows of the two tables are the tokens of all prompts, one prompt after the other.
  const halfTable = (table: Value): Value => op.Reshape(op.Slice(table, 2, 0, headDim / 2), [-1, headDim / 2]);
  const cosines = context.input('rotary_cos', 'float32', ['batch', 'sequence', headDim]);
  const cos = halfTable(cosines);
  const sin = halfTable(context.input('rotary_sin', 'float32', ['batch', 'sequence', headDim]));
  const rows = context.input('row_index', 'int64', ['batch', 'sequence']);
  const queryIndex = context.input('query_index', 'int64', ['batch', checkpoint.transformer.config.num_meta_queries]);

  const tokens = tokenEmbeddings(model.at('embed_tokens'), ids, context);
  const embeddings = op.Concat([tokens, imageEmbeds, metaQueries(context, width)], 0);
  let x = model.tap(op.Gather(embeddings, embeddingIndex), 'inputs_embeds');

  const fused = target.attention === 'fused' && headDim % GQA_HEAD_DIM_STEP === 0;
  const causal = fused ? fusedCausal(model, rows) : plainCausal(model, cosines);
  const inputs: DecoderInputs = { config, rows, cos, sin, causal };
  for (let index = 0; index < config.num_hidden_layers; index++) {
    x = decoderLayer(model.at('layers').at(index), x, inputs);
    const feature = deepstack[index];
    if (feature !== undefined) x = op.Add(x, deepstackRows(model, feature, deepstackIndex));
  }
  const hidden = model.at('norm').tap(rmsNorm(model.at('norm'), x, config.rms_norm_eps));
  graph.addOutput('meta_hidden_states', op.Gather(op.Reshape(hidden, [-1, width]), queryIndex));
  return model.missingTaps;
}

/** What a feature adds to each token: row 0 is nothing, the picture's rows follow. */
function deepstackRows({ op }: Scope, feature: Value, index: Value): Value {
  const width = Number(feature.shape[1]);
  const nothing = op.float(new Array<number>(width).fill(0), [1, width]);
  return op.Gather(op.Concat([nothing, feature], 0), index);
}

/** Rows of the token table, [batch * sequence, hidden]. */
function tokenEmbeddings(scope: Scope, ids: Value, context: BuildContext): Value {
  const { op } = scope;
  const { vocab_size, hidden_size: width } = context.checkpoint.textEncoder.config.text_config;
  const shape = [vocab_size, width];
  const table =
    context.target.embeddings === 'stored' ? scope.storedWeight('weight', shape) : scope.weight('weight', shape);
  return op.Reshape(op.Cast(op.Gather(table, ids), 'float32'), [-1, width]);
}

/** The vectors that ask the language model for the edit, [queries, hidden]; they lie with the transformer's weights. */
function metaQueries({ graph, checkpoint }: BuildContext, width: number): Value {
  const { config, stateDict } = checkpoint.transformer;
  const root = Scope.root({ graph, stateDict, folder: 'transformer', key: '', path: 'transformer' });
  return root.weight('meta_queries', [config.num_meta_queries, width]);
}

/** @param rows int64 [batch, sequence]: the tokens of all prompts, counted through. */
function fusedCausal({ op }: Scope, rows: Value): Causal {
  const last = op.Sub(op.Slice(rows, 1, -1, Number.MAX_SAFE_INTEGER), op.Slice(rows, 1, 0, 1));
  const lastIndex = op.Cast(op.Reshape(last, [-1]), 'int32');
  const length = op.Add(op.Squeeze(op.Slice(lastIndex, 0, 0, 1), [0]), op.int32(1));
  return { kind: 'fused', lastIndex, length };
}

/** @param cos Any float32 [batch, sequence, width]: made into ones and counted up, since not every provider has integer arithmetic. */
function plainCausal({ op }: Scope, cos: Value): Causal {
  const ones = op.Clip(op.Slice(op.Slice(cos, 0, 0, 1), 2, 0, 1), 1, 1);
  const places = op.CumSum(ones, 1);
  const ahead = op.Clip(op.Sub(op.Reshape(places, [-1, 1]), op.Reshape(places, [1, -1])), -1, 0);
  return { kind: 'plain', bias: op.Mul(ahead, op.float(MASKED)) };
}
