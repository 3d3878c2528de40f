import type { BuildContext } from '../../build-context.js';
import { Scope } from '../../ir/scope.js';
import { conv2d } from '../../nn/conv.js';
import { repeatChannels } from './channel-groups.js';
import { channelRmsNorm } from './channel-norm.js';
import { resolutionAt, withNames } from './resolution.js';
import { stageBlock } from './stage-block.js';
import { ofStage } from './stage-config.js';
import { upBlock } from './up-block.js';

/**
 * The decoder of `AutoencoderDC` (DC-AE, arXiv 2410.10733).
 *
 * ```
 * latents ─┬─ conv_in ────────────── (+) -> up_blocks.N: up, blocks -> ... -> norm_out -> ReLU -> conv_out -> image
 *          └─ every channel repeated ─┘    (N counts down to 0)
 * ```
 *
 * Where the first stage has no layers, `conv_out` itself doubles the size.
 */
export function buildVaeDecoder(context: BuildContext): readonly string[] {
  const { graph, checkpoint, taps } = context;
  const { config, stateDict } = checkpoint.vae;
  const root = Scope.root({ graph, stateDict, folder: 'vae', key: 'decoder', path: 'vae.decoder', taps });
  const { op } = root;
  const {
    decoder_block_out_channels: widths,
    decoder_layers_per_block: layers,
    upsample_block_type: type,
    latent_channels: latentChannels,
    in_channels: imageChannels,
  } = config;
  const latents = context.input('latents', 'float32', ['batch', latentChannels, 'latent_height', 'latent_width']);
  const latentSize = context.input('latent_size', 'int64', [2]);

  const last = widths.length - 1;
  const deepest = ofStage(root, widths, last);
  const input = root.at('conv_in');
  const projected = input.tap(conv2d(input, latents, { channels: deepest, kernel: 3 }));
  let x = op.Add(projected, repeatChannels(op, latents, deepest / latentChannels));
  let doublings = 0;

  for (let stage = last; stage >= 0; stage--) {
    const scope = root.at('up_blocks').at(stage);
    const channels = ofStage(root, widths, stage);
    const count = ofStage(root, layers, stage);
    let next = 0;
    if (stage < last && count > 0) {
      x = upBlock(scope.at(next++), x, { type, channels, shortcut: true });
      doublings++;
    }
    const stageConfig = {
      blockType: ofStage(root, config.decoder_block_types, stage),
      channels,
      norm: ofStage(root, config.decoder_norm_types, stage),
      activation: ofStage(root, config.decoder_act_fns, stage),
      headDim: config.attention_head_dim,
      kernelSizes: ofStage(root, config.decoder_qkv_multiscales, stage),
      resolution: resolutionAt(op, latentSize, doublings),
    };
    for (let index = 0; index < count; index++) x = stageBlock(scope.at(next++), x, stageConfig);
    scope.tap(x);
  }

  const normed = op.Relu(channelRmsNorm(root.at('norm_out'), x, resolutionAt(op, latentSize, doublings)));
  const output = root.at('conv_out');
  const image =
    layers[0] === 0
      ? upBlock(output, normed, { type, channels: imageChannels, shortcut: false })
      : output.tap(conv2d(output, normed, { channels: imageChannels, kernel: 3 }));
  graph.addOutput('image', withNames(image, ['batch', imageChannels, 'height', 'width']));
  return root.missingTaps;
}
