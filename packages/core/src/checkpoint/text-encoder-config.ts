import * as z from 'zod';
import {
  contradiction,
  fields,
  finite,
  flag,
  integer,
  listOf,
  MAX_LAYERS,
  MAX_WIDTH,
  oneOf,
  parseConfig,
} from './config-fields.js';
import type { TextEncoderConfig } from './configs.js';
import type { JsonValue } from './parse-json.js';

const width = integer(1, MAX_WIDTH);
const activation = oneOf('silu', 'swish', 'gelu', 'gelu_new', 'gelu_pytorch_tanh', 'relu');
const tokenId = integer(0, 2 ** 31 - 1);

// Defaults: `Qwen3VLVisionConfig` of transformers 4.57.
const vision = fields({
  depth: integer(1, MAX_LAYERS).default(27),
  hidden_size: width.default(1152),
  hidden_act: activation.default('gelu_pytorch_tanh'),
  intermediate_size: width.default(4304),
  num_heads: integer(1, 1024).default(16),
  in_channels: oneOf(3).default(3),
  patch_size: integer(1, 256).default(16),
  spatial_merge_size: integer(1, 16).default(2),
  temporal_patch_size: integer(1, 16).default(2),
  out_hidden_size: width.default(3584),
  num_position_embeddings: integer(1, 2 ** 20).default(2304),
  deepstack_visual_indexes: listOf(integer(0, MAX_LAYERS), 0, MAX_LAYERS).default([8, 16, 24]),
}).superRefine((config, context) => {
  // Rotary positions take half of a head for rows and half for columns, each in pairs.
  if (config.hidden_size % (4 * config.num_heads) !== 0) {
    contradiction(context, ['hidden_size'], `a multiple of 4 x ${config.num_heads} heads`);
  }
  if (!Number.isInteger(Math.sqrt(config.num_position_embeddings))) {
    contradiction(context, ['num_position_embeddings'], 'a square number');
  }
  config.deepstack_visual_indexes.forEach((layer, index, layers) => {
    if (layer >= config.depth) {
      contradiction(context, ['deepstack_visual_indexes', index], `a layer under depth ${config.depth}`);
    }
    if (layers.indexOf(layer) !== index) {
      contradiction(context, ['deepstack_visual_indexes'], 'each layer once');
    }
  });
});

// Defaults of `Qwen3VLTextRotaryEmbedding`, which interleaves whatever `mrope_interleaved` says.
const ropeScaling = fields({
  rope_type: oneOf('default').default('default'),
  mrope_section: listOf(integer(0, MAX_WIDTH), 3, 3).default([24, 20, 20]),
  mrope_interleaved: flag().default(true),
});

// Defaults: `Qwen3VLTextConfig` of transformers 4.57.
const text = fields({
  vocab_size: integer(1, 2 ** 24).default(151_936),
  hidden_size: width.default(4096),
  intermediate_size: integer(1, 4 * MAX_WIDTH).default(22_016),
  num_hidden_layers: integer(1, MAX_LAYERS).default(32),
  num_attention_heads: integer(1, 1024).default(32),
  num_key_value_heads: integer(1, 1024).nullable().default(32),
  head_dim: integer(2, 4096).default(128),
  hidden_act: activation.default('silu'),
  rms_norm_eps: finite(0, 1).default(1e-6),
  rope_theta: finite(0, 1e12, { open: true }).default(5_000_000),
  rope_scaling: ropeScaling,
  attention_bias: flag().default(false),
})
  .transform((config) => ({
    ...config,
    num_key_value_heads: config.num_key_value_heads ?? config.num_attention_heads,
  }))
  .superRefine((config, context) => {
    if (config.head_dim % 2 !== 0) contradiction(context, ['head_dim'], 'an even number: rotary positions turn pairs');
    if (config.num_attention_heads * config.head_dim > MAX_WIDTH) {
      contradiction(context, ['num_attention_heads'], `a width (heads x head_dim) of at most ${MAX_WIDTH}`);
    }
    if (config.num_attention_heads % config.num_key_value_heads !== 0) {
      contradiction(context, ['num_key_value_heads'], `a divisor of ${config.num_attention_heads} attention heads`);
    }
  });

const schema = fields({
  model_type: oneOf('qwen3_vl'),
  architectures: listOf(z.string(), 1, 8).nullish(),
  text_config: text,
  vision_config: vision,
  image_token_id: tokenId.default(151_655),
  video_token_id: tokenId.default(151_656),
  vision_start_token_id: tokenId.default(151_652),
  vision_end_token_id: tokenId.default(151_653),
}).superRefine((config, context) => {
  if (config.architectures && !config.architectures.includes('Qwen3VLForConditionalGeneration')) {
    contradiction(context, ['architectures'], 'the class Qwen3VLForConditionalGeneration');
  }
  // Picture embeddings take the place of token embeddings.
  if (config.vision_config.out_hidden_size !== config.text_config.hidden_size) {
    contradiction(
      context,
      ['vision_config', 'out_hidden_size'],
      `the text model's width ${config.text_config.hidden_size}`,
    );
  }
  if (config.vision_config.deepstack_visual_indexes.length > config.text_config.num_hidden_layers) {
    contradiction(
      context,
      ['vision_config', 'deepstack_visual_indexes'],
      `at most one entry for each of ${config.text_config.num_hidden_layers} text layers`,
    );
  }
  for (const name of ['image_token_id', 'video_token_id', 'vision_start_token_id', 'vision_end_token_id'] as const) {
    if (config[name] >= config.text_config.vocab_size) {
      contradiction(context, [name], `an id under vocab_size ${config.text_config.vocab_size}`);
    }
  }
});

/**
 * Checks `text_encoder/config.json` (`Qwen3VLForConditionalGeneration`) and fills in its defaults.
 * @throws {InvalidCheckpointError} naming the field.
 */
export function parseTextEncoderConfig({ value, file }: { value: JsonValue; file: string }): TextEncoderConfig {
  const { model_type: _type, architectures: _classes, ...config } = parseConfig({ schema, value, file });
  return config;
}
