import type { TransformerConfig } from '@vibe-edit/core/runtime';
import type { BuildContext } from '../../build-context.js';
import type { Value } from '../../ir/graph.js';
import type { RuntimeSize } from '../../ir/ops.js';
import { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';
import { plainLayerNorm } from '../../nn/norm.js';
import { innerDim, modulate } from './sana-norms.js';
import { timestepEmbedding } from './timestep-embedding.js';
import type { TokenGrid } from './token-grid.js';
import { transformerBlock } from './transformer-block.js';

const OUTPUT_NORM_EPSILON = 1e-6;

/**
 * One evaluation of the diffusion transformer (`VIBESanaEditingModel`), the prompt's keys and values given.
 *
 * ```
 * channel_cat:  [latents | source] on channels -> patch_embed ─────────────────┐
 * seq_cat:      patch_embed(latents), patch_embed(source) on the sequence axis ─┴-> blocks -> norm_out -> proj_out -> unpatchify
 * timestep -> time_embed: modulation to every block, embedding to norm_out
 * ```
 *
 * With `seq_cat` the authors' model unpatchifies source tokens as well, which gives twice the channels; here the first half of the
 * tokens, those of the latents, makes the prediction.
 */
export function buildTransformer(context: BuildContext): readonly string[] {
  const { graph, checkpoint, taps } = context;
  const { config, stateDict } = checkpoint.transformer;
  const root = Scope.root({ graph, stateDict, folder: 'transformer', key: '', path: 'transformer', taps });
  const { op } = root;
  const inner = innerDim(config);
  const { num_cross_attention_heads: heads, cross_attention_head_dim: headDim, patch_size: patch } = config;
  const { tokens: embedded, mask } = patchEmbeddings(context, root);
  const timestep = context.input('timestep', 'float32', ['batch']);
  const latentSize = context.input('latent_size', 'int64', [2]);
  const grid = tokenGrid(root, { latentSize, config, mask, embedded });

  const { embedding, modulation } = timestepEmbedding(root.at('time_embed'), timestep, inner);
  const modulations = op.Reshape(modulation, [0, 6, inner]);
  let x = embedded;
  for (let index = 0; index < config.num_layers; index++) {
    const key = context.input(`key.${index}`, 'float32', ['batch', heads, headDim, 'queries']);
    const value = context.input(`value.${index}`, 'float32', ['batch', heads, 'queries', headDim]);
    x = transformerBlock(root.at('transformer_blocks').at(index), x, {
      config,
      modulation: modulations,
      key,
      value,
      grid,
    });
  }

  const table = root.weight('scale_shift_table', [2, inner]);
  const [shift, scale] = op.Split(op.Add(op.Unsqueeze(embedding, [1]), table), [1, 1], 1) as [Value, Value];
  const outputNorm = root.at('norm_out');
  const normed = outputNorm.tap(modulate(outputNorm, plainLayerNorm(outputNorm, x, OUTPUT_NORM_EPSILON), shift, scale));
  const projection = root.at('proj_out');
  const width = patch * patch * config.out_channels;
  const flat = linear(projection, op.Reshape(normed, [-1, inner]), width);
  const projected = projection.tap(op.Reshape(flat, [-1, grid.tokens, width]));
  const own = mask === undefined ? projected : op.Halve(projected, 1)[0];
  graph.addOutput('prediction', unpatchify(root, own, latentSize, config));
  return root.missingTaps;
}

function patchEmbeddings(context: BuildContext, root: Scope): { tokens: Value; mask: Value | undefined } {
  const { checkpoint, task } = context;
  const { config } = checkpoint.transformer;
  const { op } = root;
  const sequence = config.input_condition_type === 'seq_cat';
  const channels = sequence ? config.in_channels : config.in_channels / 2;
  const shape = ['batch', channels, 'latent_height', 'latent_width'];
  const latents = context.input('latents', 'float32', shape);
  const scope = root.at('patch_embed');
  const projection = scope.at('proj');
  const embed = (picture: Value): Value => {
    const { patch_size: patch, in_channels: inputChannels } = config;
    const inner = innerDim(config);
    const weight = projection.weight('weight', [inner, inputChannels, patch, patch]);
    const patches = op.Conv(picture, weight, projection.weight('bias', [inner]), { stride: patch });
    return op.Transpose(op.Reshape(patches, [0, 0, -1]), [0, 2, 1]);
  };
  if (sequence && task === 'generate') return { tokens: scope.tap(embed(latents)), mask: undefined };
  const source = context.input('source_latents', 'float32', shape);
  if (!sequence) return { tokens: scope.tap(embed(op.Concat([latents, source], 1))), mask: undefined };
  const sourceMask = context.input('source_mask', 'float32', ['batch']);
  const tokens = embed(latents);
  const ones = op.Clip(op.Slice(tokens, 2, 0, 1), 1, 1);
  const mask = op.Concat([ones, op.Mul(ones, op.Unsqueeze(sourceMask, [1, 2]))], 1);
  return { tokens: op.Concat([scope.tap(tokens), embed(source)], 1), mask };
}

function tokenGrid(
  root: Scope,
  inputs: { latentSize: Value; config: TransformerConfig; mask: Value | undefined; embedded: Value },
): TokenGrid {
  const { op } = root;
  const { latentSize, config, mask, embedded } = inputs;
  const { patch_size: patch, num_attention_heads: heads } = config;
  const sizes = patch === 1 ? latentSize : op.Div(latentSize, op.int64([patch, patch]));
  const height = op.sizeAt(sizes, 0, 'token_height');
  const width = op.sizeAt(sizes, 1, 'token_width');
  const area = op.Mul(height.value, width.value);
  const tokens: RuntimeSize = { value: mask === undefined ? area : op.Mul(area, op.int64([2])), dim: 'tokens' };
  // Clipping any columns to 1..1 makes the ones without asking for a shape.
  const ones = op.Unsqueeze(op.Transpose(op.Clip(op.Slice(embedded, 2, 0, heads), 1, 1), [0, 2, 1]), [3]);
  return { height, width, tokens, mask, ones };
}

/** [batch, tokens, patch * patch * channels] to [batch, channels, height, width]; what the last whole patch leaves over is cut off. */
function unpatchify(root: Scope, x: Value, latentSize: Value, config: TransformerConfig): Value {
  const { op } = root;
  const { patch_size: patch, out_channels: channels } = config;
  const sizes = patch === 1 ? latentSize : op.Div(latentSize, op.int64([patch, patch]));
  const height = op.sizeAt(sizes, 0, 'latent_height', patch);
  const width = op.sizeAt(sizes, 1, 'latent_width', patch);
  if (patch === 1) return op.Reshape(op.Transpose(x, [0, 2, 1]), [0, channels, height, width]);
  const rows = op.sizeAt(sizes, 0, 'token_height');
  const columns = op.sizeAt(sizes, 1, 'token_width');
  const patches = op.Reshape(x, [0, rows, columns, patch, patch, channels]);
  return op.Reshape(op.Transpose(patches, [0, 5, 1, 3, 2, 4]), [0, channels, height, width]);
}
