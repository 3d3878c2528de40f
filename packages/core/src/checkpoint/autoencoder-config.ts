import * as z from 'zod';
import { contradiction, fields, finite, integer, listOf, MAX_WIDTH, oneOf, parseConfig } from './config-fields.js';
import type { AutoencoderConfig } from './configs.js';
import type { JsonValue } from './parse-json.js';

const MAX_STAGES = 12;

/** One value for all stages, or a list with one a stage. */
function perStage<T extends string>(one: z.ZodType<T>): z.ZodType<T | T[]> {
  return z.union([one, listOf(one, 1, MAX_STAGES)], {
    error: 'one supported name, or a list of them with one a stage',
  });
}

const blockTypes = perStage(oneOf('ResBlock', 'EfficientViTBlock')).default('ResBlock');
const channels = listOf(integer(1, MAX_WIDTH), 1, MAX_STAGES).default([128, 256, 512, 512, 1024, 1024]);
const layers = listOf(integer(0, 64), 1, MAX_STAGES);
// An even kernel would change the size: the reference pads by half of it.
const kernelSize = z.custom<number>(
  (value) => Number.isInteger(value) && (value as number) % 2 === 1 && (value as number) > 0 && (value as number) < 32,
  {
    error: 'an odd kernel size under 32',
  },
);
const multiscales = listOf(listOf(kernelSize, 0, 8), 1, MAX_STAGES).default([[], [], [], [5], [5], [5]]);

// Defaults: `AutoencoderDC` of diffusers 0.33; the last three fields came later, and only their defaults are what a checkpoint of
// then means.
const schema = fields({
  _class_name: oneOf('AutoencoderDC'),
  in_channels: oneOf(3).default(3),
  latent_channels: integer(1, 4096).default(32),
  attention_head_dim: integer(1, 4096).default(32),
  encoder_block_types: blockTypes,
  decoder_block_types: blockTypes,
  encoder_block_out_channels: channels,
  decoder_block_out_channels: channels,
  encoder_layers_per_block: layers.default([2, 2, 2, 3, 3, 3]),
  decoder_layers_per_block: layers.default([3, 3, 3, 3, 3, 3]),
  encoder_qkv_multiscales: multiscales,
  decoder_qkv_multiscales: multiscales,
  upsample_block_type: oneOf('interpolate', 'pixel_shuffle').default('pixel_shuffle'),
  downsample_block_type: oneOf('conv', 'pixel_unshuffle').default('pixel_unshuffle'),
  decoder_norm_types: perStage(oneOf('rms_norm', 'batch_norm')).default('rms_norm'),
  decoder_act_fns: perStage(oneOf('silu', 'swish', 'relu', 'gelu', 'mish')).default('silu'),
  scaling_factor: finite(0, 1e6, { open: true }).default(1),
  encoder_out_shortcut: oneOf(true).default(true),
  decoder_in_shortcut: oneOf(true).default(true),
  decoder_conv_act_fn: oneOf('relu').default('relu'),
})
  .transform((config) => {
    const spread = <T extends string>(value: T | T[], stages: number): T[] =>
      typeof value === 'string' ? new Array<T>(stages).fill(value) : value;
    const down = config.encoder_block_out_channels.length;
    const up = config.decoder_block_out_channels.length;
    return {
      ...config,
      encoder_block_types: spread(config.encoder_block_types, down),
      decoder_block_types: spread(config.decoder_block_types, up),
      decoder_norm_types: spread(config.decoder_norm_types, up),
      decoder_act_fns: spread(config.decoder_act_fns, up).map((name) => (name === 'swish' ? 'silu' : name)),
    };
  })
  .superRefine((config, context) => {
    checkStages(config, 'encoder', context);
    checkStages(config, 'decoder', context);
    if (config.decoder_block_out_channels.length !== config.encoder_block_out_channels.length) {
      contradiction(
        context,
        ['decoder_block_out_channels'],
        `${config.encoder_block_out_channels.length} stages, as the encoder has`,
      );
    }
  });

/** One entry a stage in every list, and widths that the shortcuts can split and repeat. */
function checkStages(config: AutoencoderConfig, side: 'encoder' | 'decoder', context: z.RefinementCtx): void {
  const widths = config[`${side}_block_out_channels`];
  const stages = widths.length;
  const lists = [
    `${side}_block_types`,
    `${side}_layers_per_block`,
    `${side}_qkv_multiscales`,
    ...(side === 'decoder' ? (['decoder_norm_types', 'decoder_act_fns'] as const) : []),
  ] as const;
  for (const name of lists) {
    if (config[name].length !== stages) contradiction(context, [name], `${stages} entries, one a stage`);
  }
  const name = `${side}_block_out_channels`;
  const deepest = widths[stages - 1]!;
  if (deepest % config.latent_channels !== 0) {
    contradiction(context, [name, stages - 1], `a multiple of latent_channels ${config.latent_channels}`);
  }
  const unshuffles = side === 'encoder' && config.downsample_block_type === 'pixel_unshuffle';
  widths.forEach((width, stage) => {
    const next = widths[stage + 1];
    const count = config[`${side}_layers_per_block`][stage];
    // A stage without layers has no down- or upsampling either; the first one's stands in the convolution outside.
    if (count === 0 && (stages === 1 || (stage > 0 && next !== undefined))) {
      contradiction(
        context,
        [`${side}_layers_per_block`, stage],
        'at least 1 layer but in the first and the last of several stages',
      );
    }
    if (config[`${side}_block_types`][stage] === 'EfficientViTBlock' && width < config.attention_head_dim) {
      contradiction(
        context,
        [name, stage],
        `at least attention_head_dim ${config.attention_head_dim} channels for attention`,
      );
    }
    if (next === undefined || (count === 0 && stage === 0)) return;
    // The shortcut of a down block averages, that of an up block repeats, 4 x width channels in runs for the deeper stage's.
    if ((width * 4) % next !== 0) contradiction(context, [name, stage], `a number whose fourfold ${next} divides`);
    if (unshuffles && next % 4 !== 0) contradiction(context, [name, stage + 1], 'a multiple of 4 for pixel_unshuffle');
  });
  const first = config[`${side}_layers_per_block`][0] === 0 ? widths[1] : undefined;
  if (unshuffles && first !== undefined && first % 4 !== 0) {
    contradiction(context, [name, 1], 'a multiple of 4 for pixel_unshuffle');
  }
}

/**
 * Checks `vae/config.json` (`AutoencoderDC`), fills in its defaults and spreads what holds for all stages into lists.
 * @throws {InvalidCheckpointError} naming the field.
 */
export function parseAutoencoderConfig({ value, file }: { value: JsonValue; file: string }): AutoencoderConfig {
  const {
    _class_name,
    encoder_out_shortcut: _out,
    decoder_in_shortcut: _in,
    decoder_conv_act_fn: _act,
    ...config
  } = parseConfig({ schema, value, file });
  return config;
}
