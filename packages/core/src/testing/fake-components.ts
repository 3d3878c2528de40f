import type { InputSpec } from '../backend/check-inputs.js';
import type { Component } from '../backend/component.js';
import { type HostTensor, hostTensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';

/** Host tensors by name. */
export type HostTensors = Readonly<Record<string, HostTensor>>;

/** A component without weights: its interface, and small maths in place of the model. */
export interface FakeComponent {
  readonly inputs: readonly InputSpec[];
  readonly outputs: readonly string[];
  run(inputs: HostTensors): HostTensors;
}

/**
 * Components that keep to the contract of every component for the checkpoint's sizes and compute something simple that can be
 * predicted:
 *
 * - the autoencoder averages blocks of pixels and spreads them again, so that decode(encode(x)) is x at a lower resolution;
 * - the prompt's embeddings depend on every token and on the picture;
 * - the transformer's prediction leads exactly to the source latents plus a shift that depends on the prompt.
 */
export function fakeComponent(component: Component, checkpoint: Checkpoint, task: 'edit' | 'generate'): FakeComponent {
  return MAKERS[component](checkpoint, task);
}

type Maker = (checkpoint: Checkpoint, task: 'edit' | 'generate') => FakeComponent;

/** How far the prompt shifts the latents. */
const PROMPT_SHIFT = 0.1;

const MAKERS: Readonly<Record<Component, Maker>> = {
  visionEncoder({ textEncoder }) {
    const {
      in_channels,
      patch_size,
      spatial_merge_size,
      out_hidden_size,
      hidden_size,
      num_heads,
      deepstack_visual_indexes,
    } = textEncoder.config.vision_config;
    const deepstack = deepstack_visual_indexes.map((_, level) => `deepstack.${level}`);
    const headDim = hidden_size / num_heads;
    return {
      inputs: [
        { name: 'pixel_codes', dtype: 'uint8', shape: ['patches', in_channels, patch_size, patch_size] },
        { name: 'position_indices', dtype: 'int64', shape: [4, 'patches'] },
        { name: 'position_weights', dtype: 'float32', shape: [4, 'patches'] },
        { name: 'rotary_cos', dtype: 'float32', shape: ['patches', headDim] },
        { name: 'rotary_sin', dtype: 'float32', shape: ['patches', headDim] },
      ],
      outputs: ['image_embeds', ...deepstack],
      run(inputs) {
        const codes = values(inputs, 'pixel_codes');
        const merged = spatial_merge_size ** 2;
        const size = in_channels * patch_size * patch_size * merged;
        const tokens = Math.floor(codes.length / size);
        const means = Array.from({ length: tokens }, (_, token) => mean(codes, token * size, size) / 127.5 - 1);
        const level = (offset: number): HostTensor =>
          fill([tokens, out_hidden_size], (row, column) => (means[row] as number) * Math.cos(column) + offset);
        return Object.fromEntries(this.outputs.map((name, index) => [name, level(index / 10)]));
      },
    };
  },

  textEncoder({ textEncoder, transformer }) {
    const { text_config, vision_config } = textEncoder.config;
    const { hidden_size, head_dim } = text_config;
    const deepstack = vision_config.deepstack_visual_indexes.map((_, level) => `deepstack.${level}`);
    const queries = transformer.config.num_meta_queries;
    return {
      inputs: [
        { name: 'input_ids', dtype: 'int64', shape: ['batch', 'sequence'] },
        { name: 'embedding_index', dtype: 'int64', shape: ['batch', 'sequence'] },
        { name: 'deepstack_index', dtype: 'int64', shape: ['batch', 'sequence'] },
        ...['image_embeds', ...deepstack].map(
          (name): InputSpec => ({ name, dtype: 'float32', shape: ['image_tokens', hidden_size] }),
        ),
        { name: 'rotary_cos', dtype: 'float32', shape: ['batch', 'sequence', head_dim] },
        { name: 'rotary_sin', dtype: 'float32', shape: ['batch', 'sequence', head_dim] },
        { name: 'row_index', dtype: 'int64', shape: ['batch', 'sequence'] },
        { name: 'query_index', dtype: 'int64', shape: ['batch', queries] },
      ],
      outputs: ['meta_hidden_states'],
      run(inputs) {
        const [batch, sequence] = shape(inputs, 'input_ids') as [number, number];
        const ids = values(inputs, 'input_ids');
        const picture = values(inputs, 'image_embeds');
        const seen = mean(picture, 0, picture.length);
        const heard = Array.from({ length: batch }, (_, row) => {
          let hash = 0;
          for (let index = row * sequence; index < (row + 1) * sequence; index++)
            hash = (hash * 31 + (ids[index] as number)) % 65521;
          return hash / 65521 + seen;
        });
        const size = queries * hidden_size;
        const states = fill([batch * queries, hidden_size], (row, column) =>
          Math.tanh((heard[Math.floor(row / queries)] as number) + Math.sin(row % queries) + Math.cos(column)),
        );
        return {
          meta_hidden_states: hostTensor(
            'float32',
            [batch, queries, hidden_size],
            states.values.subarray(0, batch * size),
          ),
        };
      },
    };
  },

  connector({ textEncoder, transformer }) {
    const { hidden_size } = textEncoder.config.text_config;
    const { caption_channels, num_meta_queries: queries } = transformer.config;
    return {
      inputs: [{ name: 'hidden_states', dtype: 'float32', shape: ['batch', queries, hidden_size] }],
      outputs: ['prompt_embeds'],
      run(inputs) {
        const hidden = values(inputs, 'hidden_states');
        const [batch] = shape(inputs, 'hidden_states') as [number];
        const rows = fill([batch * queries, caption_channels], (row, column) => {
          const level = mean(hidden, row * hidden_size, hidden_size);
          return level + Math.sin(row % queries) / 4 + Math.cos(column) / 4;
        });
        return { prompt_embeds: hostTensor('float32', [batch, queries, caption_channels], rows.values) };
      },
    };
  },

  transformerContext({ transformer }) {
    const { caption_channels, num_layers } = transformer.config;
    const levels = Array.from({ length: num_layers }, (_, level) => level);
    return {
      inputs: [{ name: 'prompt_embeds', dtype: 'float32', shape: ['batch', 'queries', caption_channels] }],
      outputs: levels.flatMap((level) => [`key.${level}`, `value.${level}`]),
      run(inputs) {
        const prompt = values(inputs, 'prompt_embeds');
        const [batch, queries] = shape(inputs, 'prompt_embeds') as [number, number];
        const size = queries * caption_channels;
        const levelOf = (row: number): number => mean(prompt, row * size, size);
        return Object.fromEntries(
          levels.flatMap((level) => [
            [`key.${level}`, fill([batch, queries], (row) => levelOf(row) + level)],
            [`value.${level}`, fill([batch, queries], (row) => levelOf(row) - level)],
          ]),
        );
      },
    };
  },

  transformer({ transformer }, task) {
    const { in_channels, out_channels, num_layers, input_condition_type, timestep_scale } = transformer.config;
    const sequence = input_condition_type === 'seq_cat';
    const picture = ['batch', sequence ? in_channels : in_channels / 2, 'height', 'width'];
    const sourced = !sequence || task === 'edit';
    const levels = Array.from({ length: num_layers }, (_, level) => [`key.${level}`, `value.${level}`]).flat();
    return {
      inputs: [
        { name: 'latents', dtype: 'float32', shape: picture },
        ...(sourced ? [{ name: 'source_latents', dtype: 'float32', shape: picture } as const] : []),
        { name: 'timestep', dtype: 'float32', shape: ['batch'] },
        { name: 'latent_size', dtype: 'int64', shape: [2] },
        ...levels.map((name): InputSpec => ({ name, dtype: 'float32', shape: ['batch', 'queries'] })),
        ...(sequence && sourced ? [{ name: 'source_mask', dtype: 'float32', shape: ['batch'] } as const] : []),
      ],
      outputs: ['prediction'],
      run(inputs) {
        const latents = values(inputs, 'latents');
        const source = sourced ? values(inputs, 'source_latents') : undefined;
        const [batch, channels, height, width] = shape(inputs, 'latents') as [number, number, number, number];
        const [, queries] = shape(inputs, 'key.0') as [number, number];
        const keys = values(inputs, 'key.0');
        const times = values(inputs, 'timestep');
        const area = height * width;
        const prediction = fill([batch * out_channels, area], (row, column) => {
          const item = Math.floor(row / out_channels);
          const at = (item * channels + (row % out_channels)) * area + column;
          const sigma = (times[item] as number) / (1000 * timestep_scale);
          const target = (source?.[at] ?? 0) + PROMPT_SHIFT * mean(keys, item * queries, queries);
          return ((latents[at] as number) - target) / sigma;
        });
        return { prediction: hostTensor('float32', [batch, out_channels, height, width], prediction.values) };
      },
    };
  },

  vaeEncoder({ vae }) {
    const { in_channels, latent_channels } = vae.config;
    return {
      inputs: [
        { name: 'image', dtype: 'float32', shape: ['batch', in_channels, 'height', 'width'] },
        { name: 'latent_size', dtype: 'int64', shape: [2] },
      ],
      outputs: ['latents'],
      run(inputs) {
        const image = values(inputs, 'image');
        const [batch, , height, width] = shape(inputs, 'image') as [number, number, number, number];
        const [rows, columns] = Array.from(values(inputs, 'latent_size')) as [number, number];
        const [down, across] = [height / rows, width / columns];
        const latents = fill([batch * latent_channels, rows * columns], (plane, cell) => {
          const channel = plane % latent_channels;
          const start = (Math.floor(plane / latent_channels) * in_channels + (channel % in_channels)) * height * width;
          const [top, left] = [Math.floor(cell / columns) * down, (cell % columns) * across];
          let sum = 0;
          for (let y = top; y < top + down; y++) sum += across * mean(image, start + y * width + left, across);
          return sum / (down * across) / (1 + Math.floor(channel / in_channels));
        });
        return { latents: hostTensor('float32', [batch, latent_channels, rows, columns], latents.values) };
      },
    };
  },

  vaeDecoder({ vae }) {
    const { in_channels, latent_channels, decoder_block_out_channels } = vae.config;
    const factor = 2 ** (decoder_block_out_channels.length - 1);
    return {
      inputs: [
        { name: 'latents', dtype: 'float32', shape: ['batch', latent_channels, 'height', 'width'] },
        { name: 'latent_size', dtype: 'int64', shape: [2] },
      ],
      outputs: ['image'],
      run(inputs) {
        const latents = values(inputs, 'latents');
        const [batch, , rows, columns] = shape(inputs, 'latents') as [number, number, number, number];
        const [height, width] = [rows * factor, columns * factor];
        const image = fill([batch * in_channels, height * width], (plane, pixel) => {
          const start = (Math.floor(plane / in_channels) * latent_channels + (plane % in_channels)) * rows * columns;
          const [y, x] = [Math.floor(pixel / width), pixel % width];
          return latents[start + Math.floor(y / factor) * columns + Math.floor(x / factor)] as number;
        });
        return { image: hostTensor('float32', [batch, in_channels, height, width], image.values) };
      },
    };
  },
};

/** The elements of an input as numbers. */
function values(inputs: HostTensors, name: string): ArrayLike<number> {
  const found = inputs[name]?.values ?? new Float32Array();
  return found instanceof BigInt64Array ? Array.from(found, Number) : found;
}

function shape(inputs: HostTensors, name: string): readonly number[] {
  return inputs[name]?.shape ?? [];
}

function mean(from: ArrayLike<number>, start: number, count: number): number {
  let sum = 0;
  for (let index = start; index < start + count; index++) sum += from[index] as number;
  return count === 0 ? 0 : sum / count;
}

/** A matrix by a formula. */
function fill(
  size: readonly [number, number],
  formula: (row: number, column: number) => number,
): HostTensor<'float32'> {
  const [rows, columns] = size;
  const filled = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) filled[row * columns + column] = formula(row, column);
  }
  return hostTensor('float32', size, filled);
}
