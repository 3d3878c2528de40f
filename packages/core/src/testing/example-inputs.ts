import type { Component } from '../backend/component.js';
import { elementCount, type HostTensor, hostTensor, type Tensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { randomValues } from './random-values.js';

export interface ExampleInputsOptions {
  component: Component;
  checkpoint: Checkpoint;
  /** What the transformer was opened for. Default `edit`. */
  task?: 'edit' | 'generate';
  /** Prompts, pictures or branches. Default 1. */
  batch?: number;
  /** Size of the latents, and of the grid of image tokens. Default 4 x 6. */
  height?: number;
  width?: number;
  /** Outputs of the `transformerContext`, which only a backend can make; the `transformer` needs them. */
  context?: Readonly<Record<string, Tensor>>;
  /** Default 0. */
  seed?: number;
}

/**
 * Inputs that a component of any checkpoint takes, with reproducible pseudo-random values: pictures, token ids, positions that
 * are valid but mean nothing.
 */
export function exampleInputs(options: ExampleInputsOptions): Record<string, Tensor> {
  const { component, checkpoint, task = 'edit', batch = 1, height = 4, width = 6, context = {}, seed = 0 } = options;
  const random = randomValues(seed);
  const floats = (...shape: number[]): HostTensor =>
    hostTensor(
      'float32',
      shape,
      Float32Array.from({ length: elementCount(shape) }, () => random() * 2 - 1),
    );
  const integers = (limit: number, ...shape: number[]): HostTensor =>
    hostTensor(
      'int64',
      shape,
      BigInt64Array.from({ length: elementCount(shape) }, () => BigInt(Math.floor(random() * limit))),
    );
  const rotary = (...shape: number[]): Record<string, HostTensor> => {
    const angles = Float32Array.from({ length: elementCount(shape) }, () => random() * 2 * Math.PI);
    return {
      rotary_cos: hostTensor('float32', shape, angles.map(Math.cos)),
      rotary_sin: hostTensor('float32', shape, angles.map(Math.sin)),
    };
  };
  const { vision_config: vision, text_config: text } = checkpoint.textEncoder.config;
  const { config: transformer } = checkpoint.transformer;
  const { config: vae } = checkpoint.vae;
  const levels = vision.deepstack_visual_indexes.map((_, level) => `deepstack.${level}`);
  const queries = transformer.num_meta_queries;
  const latent_size = hostTensor('int64', [2], BigInt64Array.of(BigInt(height), BigInt(width)));

  switch (component) {
    case 'visionEncoder': {
      const patches = height * width * vision.spatial_merge_size ** 2;
      const { in_channels, patch_size } = vision;
      const shape = [patches, in_channels, patch_size, patch_size];
      return {
        pixel_codes: hostTensor(
          'uint8',
          shape,
          Uint8Array.from({ length: elementCount(shape) }, () => random() * 256),
        ),
        position_indices: integers(vision.num_position_embeddings, 4, patches),
        position_weights: hostTensor('float32', [4, patches], new Float32Array(4 * patches).fill(0.25)),
        ...rotary(patches, vision.hidden_size / vision.num_heads),
      };
    }
    case 'textEncoder': {
      const imageTokens = height * width;
      const sequence = imageTokens + 2 * queries;
      const rows = batch * sequence;
      const each = (value: (token: number, row: number) => number): HostTensor =>
        hostTensor(
          'int64',
          [batch, sequence],
          BigInt64Array.from({ length: rows }, (_, row) => BigInt(value(row % sequence, row))),
        );
      // First the picture, then the prompt, then the queries.
      const firstQuery = sequence - queries;
      const ids = integers(text.vocab_size, batch, sequence);
      return {
        input_ids: ids,
        embedding_index: each((token, row) => {
          if (token < imageTokens) return rows + token;
          return token < firstQuery ? row : rows + imageTokens + token - firstQuery;
        }),
        deepstack_index: each((token) => (token < imageTokens ? token + 1 : 0)),
        image_embeds: floats(imageTokens, text.hidden_size),
        ...Object.fromEntries(levels.map((name) => [name, floats(imageTokens, text.hidden_size)])),
        ...rotary(batch, sequence, text.head_dim),
        row_index: each((_, row) => row),
        query_index: hostTensor(
          'int64',
          [batch, queries],
          BigInt64Array.from({ length: batch * queries }, (_, index) =>
            BigInt(Math.floor(index / queries) * sequence + firstQuery + (index % queries)),
          ),
        ),
      };
    }
    case 'connector':
      return { hidden_states: floats(batch, queries, text.hidden_size) };
    case 'transformerContext':
      return { prompt_embeds: floats(batch, queries, transformer.caption_channels) };
    case 'transformer': {
      const sequence = transformer.input_condition_type === 'seq_cat';
      const channels = sequence ? transformer.in_channels : transformer.in_channels / 2;
      const sourced = !sequence || task === 'edit';
      return {
        latents: floats(batch, channels, height, width),
        ...(sourced ? { source_latents: floats(batch, channels, height, width) } : {}),
        timestep: hostTensor('float32', [batch], new Float32Array(batch).fill(700 * transformer.timestep_scale)),
        latent_size,
        ...(sequence && sourced
          ? { source_mask: hostTensor('float32', [batch], new Float32Array(batch).fill(1)) }
          : {}),
        ...context,
      };
    }
    case 'vaeEncoder': {
      const factor = 2 ** (vae.encoder_block_out_channels.length - 1);
      return { image: floats(batch, vae.in_channels, height * factor, width * factor), latent_size };
    }
    case 'vaeDecoder':
      return { latents: floats(batch, vae.latent_channels, height, width), latent_size };
  }
}
