import type { BuildContext } from '../../build-context.js';
import { Scope } from '../../ir/scope.js';
import { conv2d } from '../../nn/conv.js';
import { averageChannels } from './channel-groups.js';
import { downBlock } from './down-block.js';
import { resolutionAt, withNames } from './resolution.js';
import { stageBlock } from './stage-block.js';
import { ofStage } from './stage-config.js';

/**
 * The encoder of `AutoencoderDC` (DC-AE, arXiv 2410.10733).
 *
 * ```
 * image -> conv_in -> down_blocks.N: blocks, down -> ... ─┬─ conv_out ───────────────── (+) -> latents
 *                                                         └─ means of channel groups ──┘
 * ```
 *
 * Where the first stage has no layers, `conv_in` itself halves the image.
 */
export function buildVaeEncoder(context: BuildContext): readonly string[] {
  const { graph, checkpoint, taps } = context;
  const { config, stateDict } = checkpoint.vae;
  const root = Scope.root({ graph, stateDict, folder: 'vae', key: 'encoder', path: 'vae.encoder', taps });
  const { op } = root;
  const {
    encoder_block_out_channels: widths,
    encoder_layers_per_block: layers,
    downsample_block_type: type,
    latent_channels: latentChannels,
  } = config;
  const image = context.input('image', 'float32', ['batch', config.in_channels, 'height', 'width']);
  const latentSize = context.input('latent_size', 'int64', [2]);

  const halves = (stage: number): boolean => stage < widths.length - 1 && layers[stage] !== 0;
  let doublings = widths.filter((_, stage) => halves(stage)).length;
  const input = root.at('conv_in');
  let x =
    layers[0] === 0
      ? downBlock(input, image, { type, channels: ofStage(root, widths, 1), shortcut: false })
      : input.tap(conv2d(input, image, { channels: ofStage(root, widths, 0), kernel: 3 }));

  widths.forEach((channels, stage) => {
    const scope = root.at('down_blocks').at(stage);
    const count = ofStage(root, layers, stage);
    const stageConfig = {
      blockType: ofStage(root, config.encoder_block_types, stage),
      channels,
      norm: 'rms_norm',
      activation: 'silu',
      headDim: config.attention_head_dim,
      kernelSizes: ofStage(root, config.encoder_qkv_multiscales, stage),
      resolution: resolutionAt(op, latentSize, doublings),
    };
    for (let index = 0; index < count; index++) x = stageBlock(scope.at(index), x, stageConfig);
    if (halves(stage)) {
      x = downBlock(scope.at(count), x, { type, channels: ofStage(root, widths, stage + 1), shortcut: true });
      doublings--;
    }
    scope.tap(x);
  });

  const output = conv2d(root.at('conv_out'), x, { channels: latentChannels, kernel: 3 });
  const latents = op.Add(output, averageChannels(op, x, latentChannels));
  graph.addOutput('latents', withNames(latents, ['batch', latentChannels, 'latent_height', 'latent_width']));
  return root.missingTaps;
}
