import type { BuildContext } from '../../build-context.js';
import type { Value } from '../../ir/graph.js';
import { Scope } from '../../ir/scope.js';
import { deepstackFeatures } from './deepstack.js';
import { patchMerger } from './patch-merger.js';
import { visionBlock } from './vision-block.js';

/**
 * The vision tower of Qwen3-VL on one picture (arXiv 2511.21631, section 2).
 *
 * ```
 * pixel_codes -> patch_embed -> (+) -> block 0 -> block 1 -> ... -> merger -> image_embeds
 * position table, bilinear ──────┘       └ deepstack merger -> deepstack.0 ...
 * ```
 */
export function buildVisionEncoder(context: BuildContext): readonly string[] {
  const { graph, checkpoint, taps, target } = context;
  const { config: textEncoder, stateDict } = checkpoint.textEncoder;
  const config = textEncoder.vision_config;
  const headDim = config.hidden_size / config.num_heads;
  const { in_channels: channels, patch_size: patch, hidden_size: width } = config;
  const visual = Scope.root({ graph, stateDict, folder: 'text_encoder', key: 'model.visual', path: 'visual', taps });
  const { op } = visual;

  const codes = context.input('pixel_codes', 'uint8', ['patches', channels, patch, patch]);
  const indices = context.input('position_indices', 'int64', [4, 'patches']);
  const weights = context.input('position_weights', 'float32', [4, 'patches']);
  const half = (table: Value): Value => op.Slice(table, 1, 0, headDim / 2);
  const cos = half(context.input('rotary_cos', 'float32', ['patches', headDim]));
  const sin = half(context.input('rotary_sin', 'float32', ['patches', headDim]));

  const embedded = patchEmbed(visual.at('patch_embed'), codes, context);
  const table = visual.at('pos_embed').weight('weight', [config.num_position_embeddings, width]);
  const corners = op.Mul(op.Gather(table, indices), op.Unsqueeze(weights, [2]));
  let x = op.Add(embedded, op.Squeeze(op.ReduceSum(corners, [0]), [0]));

  const features = deepstackFeatures(config);
  const outputs: Value[] = [];
  for (let index = 0; index < config.depth; index++) {
    x = visionBlock(visual.at('blocks').at(index), x, { config, attention: target.attention, cos, sin });
    const feature = features.find(({ block }) => block === index);
    if (feature === undefined) continue;
    outputs.push(patchMerger(visual.at('deepstack_merger_list').at(feature.merger), x, { config, norm: 'block' }));
  }
  graph.addOutput('image_embeds', patchMerger(visual.at('merger'), x, { config, norm: 'patch' }));
  for (const [index, output] of outputs.entries()) graph.addOutput(`deepstack.${index}`, output);
  return visual.missingTaps;
}

/**
 * 3-D convolution whose stride is its kernel: a linear layer on each patch. All frames of a patch are the same picture.
 *
 * @param codes uint8 [patches, channels, patch, patch].
 */
function patchEmbed(scope: Scope, codes: Value, context: BuildContext): Value {
  const { op } = scope;
  const { vision_config: config } = context.checkpoint.textEncoder.config;
  const { in_channels: channels, patch_size: patch, temporal_patch_size: frames, hidden_size: width } = config;
  // How the fast image processor of transformers turns 8-bit values into -1..1, and in that order of roundings.
  const pixels = op.Div(op.Sub(op.Cast(codes, 'float32'), op.float(127.5)), op.float(127.5));
  const frame = op.Reshape(pixels, [-1, channels, 1, patch * patch]);
  const rows = op.Reshape(op.Concat(new Array<Value>(frames).fill(frame), 2), [-1, channels * frames * patch * patch]);
  const projection = scope.at('proj');
  const weight = projection.weight('weight', [width, channels, frames, patch, patch]);
  return scope.tap(op.Gemm(rows, op.Reshape(weight, [width, -1]), projection.weight('bias', [width])));
}
