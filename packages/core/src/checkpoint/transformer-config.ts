import {
  contradiction,
  fields,
  finite,
  flag,
  integer,
  MAX_LAYERS,
  MAX_WIDTH,
  oneOf,
  parseConfig,
} from './config-fields.js';
import type { TransformerConfig } from './configs.js';
import type { JsonValue } from './parse-json.js';

const width = integer(1, MAX_WIDTH);

// Defaults: the constructor of the authors' `VIBESanaEditingModel`.
const schema = fields({
  _class_name: oneOf('VIBESanaEditingModel'),
  in_channels: integer(1, 4096).default(32),
  out_channels: integer(1, 4096).nullable().default(32),
  num_attention_heads: integer(1, 4096).default(70),
  attention_head_dim: integer(1, 4096).default(32),
  num_layers: integer(1, MAX_LAYERS).default(20),
  num_cross_attention_heads: integer(1, 4096).default(20),
  cross_attention_head_dim: integer(1, 4096).default(112),
  cross_attention_dim: width.default(2240),
  caption_channels: width.default(2304),
  mlp_ratio: finite(0, 64, { open: true }).default(2.5),
  sample_size: integer(1, 4096).default(32),
  patch_size: integer(1, 64).default(1),
  norm_eps: finite(0, 1).default(1e-6),
  // A scale would mean position embeddings, a guidance embedding another timestep module: no VIBE checkpoint has either.
  interpolation_scale: oneOf(null).default(null),
  guidance_embeds: oneOf(false).default(false),
  qk_norm: oneOf('rms_norm_across_heads', null).default(null),
  timestep_scale: finite(0, 1e6, { open: true }).default(1),
  input_condition_type: oneOf('channel_cat', 'seq_cat').default('channel_cat'),
  edit_head_input_dim: width.default(2048),
  edit_head_stacks_num: integer(1, MAX_LAYERS).default(4),
  num_meta_queries: integer(1, 65_536).default(224),
  meta_queries_dim: width.default(2048),
  attention_bias: flag().default(false),
  norm_elementwise_affine: flag().default(false),
  cfg_distilled: flag().nullable().default(false),
}).superRefine((config, context) => {
  const inner = config.num_attention_heads * config.attention_head_dim;
  if (inner > MAX_WIDTH) {
    contradiction(
      context,
      ['num_attention_heads'],
      `a width (heads x attention_head_dim) of at most ${MAX_WIDTH}`,
      String(inner),
    );
  }
  const crossInner = config.num_cross_attention_heads * config.cross_attention_head_dim;
  if (crossInner > MAX_WIDTH) {
    contradiction(
      context,
      ['num_cross_attention_heads'],
      `a width (heads x cross_attention_head_dim) of at most ${MAX_WIDTH}`,
      String(crossInner),
    );
  }
  // Captions are projected to the transformer's own width before the blocks attend to them.
  if (config.cross_attention_dim !== inner) {
    contradiction(context, ['cross_attention_dim'], `the width ${inner} of num_attention_heads x attention_head_dim`);
  }
  if (config.edit_head_input_dim !== config.meta_queries_dim) {
    contradiction(
      context,
      ['edit_head_input_dim'],
      `meta_queries_dim ${config.meta_queries_dim}: the connector adds the queries`,
    );
  }
  if (config.input_condition_type === 'channel_cat' && config.in_channels % 2 !== 0) {
    contradiction(context, ['in_channels'], 'an even number: noisy latents, then source latents');
  }
  if (Math.trunc(config.mlp_ratio * inner) < 1) {
    contradiction(context, ['mlp_ratio'], `a feed-forward at least 1 wide at width ${inner}`);
  }
});

/**
 * Checks `transformer/config.json` (`VIBESanaEditingModel`) and fills in its defaults.
 * @throws {InvalidCheckpointError} naming the field.
 */
export function parseTransformerConfig({ value, file }: { value: JsonValue; file: string }): TransformerConfig {
  const {
    _class_name,
    interpolation_scale: _scale,
    guidance_embeds: _guidance,
    ...config
  } = parseConfig({ schema, value, file });
  return {
    ...config,
    out_channels: config.out_channels ?? config.in_channels,
    cfg_distilled: config.cfg_distilled ?? false,
  };
}
