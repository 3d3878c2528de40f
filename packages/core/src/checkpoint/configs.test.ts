import { describe, expect, test } from 'vitest';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { parseAutoencoderConfig } from './autoencoder-config.js';
import { checkConfigsFit } from './check-configs-fit.js';
import { checkpointDefaults } from './checkpoint-defaults.js';
import { parseImageProcessorConfig } from './image-processor-config.js';
import { parseModelIndex } from './model-index.js';
import type { JsonObject, JsonValue } from './parse-json.js';
import { parseSchedulerConfig } from './scheduler-config.js';
import { parseTextEncoderConfig } from './text-encoder-config.js';
import { parseTransformerConfig } from './transformer-config.js';

const file = '/model/config.json';
const textConfig = (text: JsonObject = {}, vision: JsonObject = {}, rest: JsonObject = {}): JsonObject => ({
  model_type: 'qwen3_vl',
  text_config: { hidden_size: 3584, rope_scaling: {}, ...text },
  vision_config: { ...vision },
  ...rest,
});
const transformerConfig = (fields: JsonObject = {}): JsonObject => ({ _class_name: 'VIBESanaEditingModel', ...fields });
const vaeConfig = (fields: JsonObject = {}): JsonObject => ({ _class_name: 'AutoencoderDC', ...fields });
const modelIndex = (fields: JsonObject = {}): JsonObject => ({
  _class_name: 'VIBESanaEditingPipeline',
  scheduler: ['diffusers', 'DPMSolverMultistepScheduler'],
  text_encoder: ['transformers', 'Qwen3VLForConditionalGeneration'],
  tokenizer: ['transformers', 'Qwen3VLProcessor'],
  transformer: ['vibe.transformer.vibe_sana_editing', 'VIBESanaEditingModel'],
  vae: ['diffusers', 'AutoencoderDC'],
  ...fields,
});

/** Parses and expects one typed error that names the file and the field. */
function expectFault(parse: () => unknown, field: string, message?: RegExp): void {
  let error: unknown;
  try {
    parse();
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(InvalidCheckpointError);
  expect(error).toMatchObject({ file, field, expected: expect.any(String), received: expect.any(String) });
  if (message !== undefined) expect((error as Error).message).toMatch(message);
}

describe('text_encoder/config.json', () => {
  test('has the defaults of its class', () => {
    expect(parseTextEncoderConfig({ value: textConfig(), file })).toEqual({
      text_config: {
        vocab_size: 151_936,
        hidden_size: 3584,
        intermediate_size: 22_016,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 32,
        head_dim: 128,
        hidden_act: 'silu',
        rms_norm_eps: 1e-6,
        rope_theta: 5_000_000,
        rope_scaling: { rope_type: 'default', mrope_section: [24, 20, 20], mrope_interleaved: true },
        attention_bias: false,
      },
      vision_config: {
        depth: 27,
        hidden_size: 1152,
        hidden_act: 'gelu_pytorch_tanh',
        intermediate_size: 4304,
        num_heads: 16,
        in_channels: 3,
        patch_size: 16,
        spatial_merge_size: 2,
        temporal_patch_size: 2,
        out_hidden_size: 3584,
        num_position_embeddings: 2304,
        deepstack_visual_indexes: [8, 16, 24],
      },
      image_token_id: 151_655,
      video_token_id: 151_656,
      vision_start_token_id: 151_652,
      vision_end_token_id: 151_653,
    });
  });

  test('without key-value heads has as many as attention heads', () => {
    const value = textConfig({ num_attention_heads: 12, num_key_value_heads: null });
    expect(parseTextEncoderConfig({ value, file }).text_config.num_key_value_heads).toBe(12);
  });

  test.each<[string, JsonValue, RegExp?]>([
    [
      'model_type',
      textConfig({}, {}, { model_type: 'qwen2_vl' }),
      /"qwen3_vl" in field model_type .* received "qwen2_vl"/,
    ],
    ['architectures', textConfig({}, {}, { architectures: ['Qwen2VL'] })],
    ['text_config', { model_type: 'qwen3_vl', vision_config: {} }, /an object .* received nothing/],
    ['text_config.num_hidden_layers', textConfig({ num_hidden_layers: 1e9 }), /from 1 to 512 .* received 1000000000/],
    ['text_config.num_hidden_layers', textConfig({ num_hidden_layers: '3' })],
    ['text_config.hidden_size', textConfig({ hidden_size: Number.POSITIVE_INFINITY }), /received Infinity/],
    ['text_config.hidden_size', textConfig({ hidden_size: 2.5 })],
    ['text_config.rms_norm_eps', textConfig({ rms_norm_eps: Number.NaN })],
    ['text_config.rope_scaling', textConfig({ rope_scaling: null })],
    ['text_config.rope_scaling.rope_type', textConfig({ rope_scaling: { rope_type: 'yarn' } })],
    ['text_config.rope_scaling.mrope_section', textConfig({ rope_scaling: { mrope_section: [24, 20] } })],
    ['text_config.num_key_value_heads', textConfig({ num_key_value_heads: 7 }), /a divisor of 32/],
    ['text_config.head_dim', textConfig({ head_dim: 33 })],
    ['text_config.num_attention_heads', textConfig({ num_attention_heads: 1024, head_dim: 4096 })],
    ['text_config.hidden_act', textConfig({ hidden_act: 'tanhshrink' })],
    ['vision_config.hidden_size', textConfig({}, { hidden_size: 100 }), /a multiple of 4 x 16 heads/],
    ['vision_config.num_position_embeddings', textConfig({}, { num_position_embeddings: 2305 }), /a square/],
    [
      'vision_config.deepstack_visual_indexes.1',
      textConfig({}, { depth: 10 }),
      /a layer under depth 10 .* received 16/,
    ],
    ['vision_config.deepstack_visual_indexes', textConfig({}, { deepstack_visual_indexes: [3, 3] }), /once/],
    ['vision_config.deepstack_visual_indexes', textConfig({ num_hidden_layers: 2 })],
    ['vision_config.out_hidden_size', textConfig({ hidden_size: 64 }), /the text model's width 64 .* received 3584/],
    ['image_token_id', textConfig({ vocab_size: 1000 }), /under vocab_size 1000 .* received 151655/],
  ])('is refused for %s', (field, value, message) => {
    expectFault(() => parseTextEncoderConfig({ value, file }), field, message);
  });

  test('is refused when it is no object', () => {
    expect(() => parseTextEncoderConfig({ value: [], file })).toThrow(InvalidCheckpointError);
    expect(() => parseTextEncoderConfig({ value: null, file })).toThrow(/an object in .* received null/);
  });
});

describe('transformer/config.json', () => {
  test('has the defaults of its class', () => {
    expect(parseTransformerConfig({ value: transformerConfig({ in_channels: 64, out_channels: null }), file })).toEqual(
      {
        in_channels: 64,
        out_channels: 64,
        num_attention_heads: 70,
        attention_head_dim: 32,
        num_layers: 20,
        num_cross_attention_heads: 20,
        cross_attention_head_dim: 112,
        cross_attention_dim: 2240,
        caption_channels: 2304,
        mlp_ratio: 2.5,
        sample_size: 32,
        patch_size: 1,
        norm_eps: 1e-6,
        qk_norm: null,
        timestep_scale: 1,
        input_condition_type: 'channel_cat',
        edit_head_input_dim: 2048,
        edit_head_stacks_num: 4,
        num_meta_queries: 224,
        meta_queries_dim: 2048,
        attention_bias: false,
        norm_elementwise_affine: false,
        cfg_distilled: false,
      },
    );
  });

  test.each<[string, JsonObject, RegExp?]>([
    ['_class_name', { _class_name: 'SanaTransformer2DModel' }, /"VIBESanaEditingModel" .* "SanaTransformer2DModel"/],
    ['guidance_embeds', { guidance_embeds: true }, /false in field guidance_embeds .* received true/],
    ['interpolation_scale', { interpolation_scale: 1 }],
    ['qk_norm', { qk_norm: 'layer_norm' }, /"rms_norm_across_heads" or null/],
    ['input_condition_type', { input_condition_type: 'cross_cat' }],
    ['cross_attention_dim', { cross_attention_dim: 64 }, /the width 2240/],
    ['num_attention_heads', { num_attention_heads: 4096, attention_head_dim: 4096 }],
    ['num_cross_attention_heads', { num_cross_attention_heads: 4096, cross_attention_head_dim: 4096 }],
    ['edit_head_input_dim', { edit_head_input_dim: 64 }],
    ['in_channels', { in_channels: 33 }, /an even number/],
    ['mlp_ratio', { mlp_ratio: 0 }, /over 0/],
    ['mlp_ratio', { mlp_ratio: 1e-9 }, /at least 1 wide/],
    ['timestep_scale', { timestep_scale: -1 }],
    ['num_layers', { num_layers: 0 }],
    ['cfg_distilled', { cfg_distilled: 1 }],
    ['attention_bias', { attention_bias: 'yes' }],
  ])('is refused for %s', (field, fields, message) => {
    expectFault(() => parseTransformerConfig({ value: transformerConfig(fields), file }), field, message);
  });
});

describe('vae/config.json', () => {
  test('has the defaults of its class, with a list entry a stage', () => {
    const config = parseAutoencoderConfig({ value: vaeConfig(), file });
    expect(config).toMatchObject({
      latent_channels: 32,
      encoder_block_types: new Array(6).fill('ResBlock'),
      encoder_layers_per_block: [2, 2, 2, 3, 3, 3],
      decoder_layers_per_block: [3, 3, 3, 3, 3, 3],
      decoder_norm_types: new Array(6).fill('rms_norm'),
      decoder_act_fns: new Array(6).fill('silu'),
      upsample_block_type: 'pixel_shuffle',
      downsample_block_type: 'pixel_unshuffle',
      scaling_factor: 1,
    });
    expect(config).not.toHaveProperty('_class_name');
  });

  test('calls an activation by one name', () => {
    const value = vaeConfig({ decoder_act_fns: ['swish', 'relu', 'silu', 'gelu', 'mish', 'swish'] });
    expect(parseAutoencoderConfig({ value, file }).decoder_act_fns).toEqual([
      'silu',
      'relu',
      'silu',
      'gelu',
      'mish',
      'silu',
    ]);
  });

  test('may leave the first stage empty', () => {
    const value = vaeConfig({
      encoder_layers_per_block: [0, 2, 2, 3, 3, 3],
      decoder_layers_per_block: [0, 3, 3, 3, 3, 3],
    });
    expect(parseAutoencoderConfig({ value, file }).encoder_layers_per_block[0]).toBe(0);
  });

  test.each<[string, JsonObject, RegExp?]>([
    ['_class_name', { _class_name: 'AutoencoderKL' }],
    ['in_channels', { in_channels: 4 }],
    ['encoder_block_types', { encoder_block_types: 'DownBlock' }, /supported name/],
    ['encoder_block_types', { encoder_block_types: ['ResBlock'] }, /6 entries, one a stage/],
    ['decoder_norm_types', { decoder_norm_types: 'group_norm' }],
    ['decoder_norm_types', { decoder_norm_types: ['rms_norm', 'rms_norm'] }, /6 entries/],
    ['decoder_act_fns', { decoder_act_fns: 'tanh' }],
    ['encoder_layers_per_block', { encoder_layers_per_block: [2, 2] }],
    ['decoder_layers_per_block.2', { decoder_layers_per_block: [3, 3, 0, 3, 3, 3] }, /at least 1 layer/],
    ['encoder_layers_per_block.0', { encoder_layers_per_block: [1e9, 2, 2, 3, 3, 3] }],
    ['encoder_qkv_multiscales', { encoder_qkv_multiscales: [] }],
    ['encoder_qkv_multiscales.3.0', { encoder_qkv_multiscales: [[], [], [], [4], [5], [5]] }, /odd kernel/],
    ['encoder_block_out_channels.5', { latent_channels: 48 }, /a multiple of latent_channels 48/],
    ['encoder_block_out_channels.0', { encoder_block_out_channels: [129, 256, 512, 512, 1024, 1024] }],
    ['decoder_block_out_channels.0', { decoder_block_out_channels: [100, 256, 512, 512, 1024, 1024] }, /fourfold 256/],
    ['upsample_block_type', { upsample_block_type: 'nearest' }],
    ['downsample_block_type', { downsample_block_type: 'pool' }],
    ['scaling_factor', { scaling_factor: 0 }],
    ['encoder_out_shortcut', { encoder_out_shortcut: false }],
    ['decoder_conv_act_fn', { decoder_conv_act_fn: 'silu' }],
  ])('is refused for %s', (field, fields, message) => {
    expectFault(() => parseAutoencoderConfig({ value: vaeConfig(fields), file }), field, message);
  });

  test('is refused when attention has less than one head', () => {
    const value = vaeConfig({ encoder_block_types: new Array(6).fill('EfficientViTBlock'), attention_head_dim: 256 });
    expectFault(
      () => parseAutoencoderConfig({ value, file }),
      'encoder_block_out_channels.0',
      /at least attention_head_dim 256/,
    );
  });

  test('is refused when encoder and decoder have different depths', () => {
    const value = vaeConfig({
      decoder_block_out_channels: [128, 256, 512],
      decoder_layers_per_block: [3, 3, 3],
      decoder_qkv_multiscales: [[], [], []],
    });
    expectFault(() => parseAutoencoderConfig({ value, file }), 'decoder_block_out_channels', /6 stages/);
  });
});

describe('the smaller configs', () => {
  test('model_index.json names the scheduler', () => {
    expect(parseModelIndex({ value: modelIndex({ _diffusers_version: '0.33.1', extra: [null, null] }), file })).toEqual(
      {
        schedulerClass: 'DPMSolverMultistepScheduler',
      },
    );
  });

  test.each<[string, JsonObject]>([
    ['_class_name', { _class_name: 'SanaPipeline' }],
    ['vae.1', { vae: ['diffusers', 'AutoencoderKL'] }],
    ['transformer', { transformer: 'VIBESanaEditingModel' }],
    ['text_encoder.0', { text_encoder: [null, null] }],
    ['scheduler.1', { scheduler: ['diffusers', 5] }],
  ])('model_index.json is refused for %s', (field, fields) => {
    expectFault(() => parseModelIndex({ value: modelIndex(fields), file }), field);
  });

  test('the scheduler keeps every field, the infinite ones too', () => {
    const value = { _class_name: 'Mine', lambda_min_clipped: Number.NEGATIVE_INFINITY, trained_betas: null };
    expect(parseSchedulerConfig({ value, file })).toEqual(value);
    expectFault(() => parseSchedulerConfig({ value: {}, file }), '_class_name');
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`f${index}`, index]));
    expect(() => parseSchedulerConfig({ value: { _class_name: 'Mine', ...many }, file })).toThrow(/at most 200 fields/);
  });

  test('the image processor has the defaults of its class', () => {
    expect(parseImageProcessorConfig({ value: { patch_size: 16, do_resize: null }, file })).toEqual({
      patch_size: 16,
      merge_size: 2,
      temporal_patch_size: 2,
      image_mean: [0.48145466, 0.4578275, 0.40821073],
      image_std: [0.26862954, 0.26130258, 0.27577711],
      rescale_factor: 1 / 255,
    });
  });

  test.each<[string, JsonObject]>([
    ['image_processor_type', { image_processor_type: 'CLIPImageProcessor' }],
    ['do_resize', { do_resize: false }],
    ['resample', { resample: 2 }],
    ['image_std.1', { image_std: [0.5, 0, 0.5] }],
    ['image_mean', { image_mean: [0.5] }],
    ['patch_size', { patch_size: 0 }],
  ])('the image processor is refused for %s', (field, value) => {
    expectFault(() => parseImageProcessorConfig({ value, file }), field);
  });
});

describe('the defaults of a checkpoint', () => {
  const transformer = parseTransformerConfig({ value: transformerConfig(), file });

  test('are the authors', () => {
    expect(checkpointDefaults({ file, transformer })).toEqual({
      numInferenceSteps: 20,
      guidanceScale: 4.5,
      imageGuidanceScale: 1.2,
      preserve: 'off',
      textToImage: true,
    });
  });

  test('have a single branch where guidance was distilled', () => {
    expect(checkpointDefaults({ file, transformer: { ...transformer, cfg_distilled: true } })).toMatchObject({
      numInferenceSteps: 20,
      guidanceScale: 1,
      imageGuidanceScale: 1,
    });
  });

  test('follow vibe_edit.json', () => {
    const value = {
      num_inference_steps: 4,
      guidance_scale: 2,
      image_guidance_scale: 0,
      preserve: 'auto',
      null_distance: 0.5,
      text_to_image: false,
      later_field: [],
    };
    expect(checkpointDefaults({ value, file, transformer })).toEqual({
      numInferenceSteps: 4,
      guidanceScale: 2,
      imageGuidanceScale: 0,
      preserve: 'auto',
      nullDistance: 0.5,
      textToImage: false,
    });
  });

  test.each<[string, JsonObject]>([
    ['num_inference_steps', { num_inference_steps: 0 }],
    ['guidance_scale', { guidance_scale: Number.POSITIVE_INFINITY }],
    ['preserve', { preserve: 'all' }],
    ['text_to_image', { text_to_image: 'no' }],
  ])('are refused for %s', (field, value) => {
    expectFault(() => checkpointDefaults({ value, file, transformer }), field);
  });
});

describe('configs of one checkpoint', () => {
  const fitting = {
    path: '/model',
    modelIndex: { schedulerClass: 'Mine' },
    textEncoder: parseTextEncoderConfig({ value: textConfig({ hidden_size: 2048 }, { out_hidden_size: 2048 }), file }),
    transformer: parseTransformerConfig({ value: transformerConfig(), file }),
    scheduler: parseSchedulerConfig({ value: { _class_name: 'Mine' }, file }),
    imageProcessor: parseImageProcessorConfig({ value: { patch_size: 16 }, file }),
  };

  test('fit', () => {
    expect(() => checkConfigsFit(fitting)).not.toThrow();
  });

  test.each([
    [
      'vision_config.patch_size',
      { imageProcessor: { ...fitting.imageProcessor, patch_size: 14 } },
      /14, .* received 16/,
    ],
    [
      'vision_config.spatial_merge_size',
      { imageProcessor: { ...fitting.imageProcessor, merge_size: 4 } },
      /4, .* received 2/,
    ],
    [
      'vision_config.temporal_patch_size',
      { imageProcessor: { ...fitting.imageProcessor, temporal_patch_size: 1 } },
      /1, .* received 2/,
    ],
    ['meta_queries_dim', { transformer: { ...fitting.transformer, meta_queries_dim: 64 } }, /2048, .* received 64/],
    ['_class_name', { scheduler: { _class_name: 'Other' } }, /Mine, .* received Other/],
  ])('are refused when they disagree on %s', (field, change, message) => {
    expect(() => checkConfigsFit({ ...fitting, ...change })).toThrow(InvalidCheckpointError);
    expect(() => checkConfigsFit({ ...fitting, ...change })).toThrow(message);
    expect(() => checkConfigsFit({ ...fitting, ...change })).toThrow(new RegExp(`field ${field} of /model/`));
  });
});
