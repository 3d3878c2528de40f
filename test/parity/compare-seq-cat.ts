import { dirname, join, relative } from 'node:path';
import { createBackend } from '@vibe-edit/adapters/cpu';
import { type Checkpoint, type HostTensor, hostTensor, readSafetensorsHeader, type Tensor } from '@vibe-edit/core';
import { compareOneRun } from './compare-one-run.js';
import type { GoldenCase, NoiseFloor } from './golden-case.js';
import type { GoldenFolder, GoldenTensors } from './golden-folder.js';
import type { Report } from './report.js';

const PATCH_EMBEDDING = 'patch_embed.proj.weight';

/** Compares the other way of conditioning: single calls of the transformer, and text-to-image. */
export async function compareSeqCat(options: {
  folder: GoldenFolder;
  golden: NonNullable<GoldenCase['seq_cat']>;
  checkpoint: Checkpoint;
  noise: NoiseFloor | undefined;
  report: Report;
}): Promise<void> {
  const { folder, golden, report } = options;
  report.heading('seq_cat');
  const file = join(folder.path, 'seq_cat/forward.safetensors');
  const tensors = await folder.tensors('seq_cat/forward.safetensors');
  tensors.take(PATCH_EMBEDDING);
  const checkpoint = await withSequenceConditioning(options.checkpoint, file);
  await compareForward(tensors, checkpoint, report);
  await compareOneRun({ ...options, checkpoint, path: 'seq_cat/t2i', run: golden.t2i });
}

/** The same checkpoint with `seq_cat` conditioning and the patch embedding that belongs to it. */
async function withSequenceConditioning(checkpoint: Checkpoint, file: string): Promise<Checkpoint> {
  const { transformer, vae } = checkpoint;
  const header = await readSafetensorsHeader(file);
  const embedding = header.tensors.get(PATCH_EMBEDDING);
  if (embedding === undefined) throw new Error(`${file} holds no ${PATCH_EMBEDDING}`);
  return {
    ...checkpoint,
    weightsRoot: commonFolder(checkpoint.weightsRoot, dirname(embedding.file)),
    transformer: {
      config: { ...transformer.config, in_channels: vae.config.latent_channels, input_condition_type: 'seq_cat' },
      stateDict: new Map(transformer.stateDict).set(PATCH_EMBEDDING, embedding),
    },
  };
}

/** The deepest folder that both lie in. */
function commonFolder(a: string, b: string): string {
  let common = a;
  while (common !== dirname(common) && relative(common, b).startsWith('..')) common = dirname(common);
  return common;
}

async function compareForward(tensors: GoldenTensors, checkpoint: Checkpoint, report: Report): Promise<void> {
  const backend = await createBackend({ threads: 1 });
  try {
    const hidden = tensors.take('hidden_states');
    const [batch = 0, channels = 0, height = 0, width = 0] = hidden.shape;
    const [latents, source] = halves(hidden.values as Float32Array, [batch, channels, height, width]);
    const embeds = tensors.take('encoder_hidden_states');
    const context = await backend.open('transformerContext', checkpoint);
    const keys = await context.run({
      prompt_embeds: hostTensor('float32', embeds.shape, embeds.values as Float32Array),
    });
    const common = {
      ...keys,
      latents,
      timestep: hostTensor('float32', [batch], tensors.floats('timestep')),
      latent_size: hostTensor('int64', [2], BigInt64Array.of(BigInt(height), BigInt(width))),
    };
    const taps = ['transformer.proj_out'];
    // [text-to-image, edit] is the mixed batch's order.
    for (const [name, mask] of [
      ['edit', [1, 1]],
      ['mixed', [0, 1]],
    ] as const) {
      const session = await backend.open('transformer', checkpoint, { task: 'edit', taps });
      const inputs = {
        ...common,
        source_latents: source,
        source_mask: hostTensor('float32', [batch], Float32Array.from(mask)),
      };
      const outputs = await session.run(inputs, { outputs: ['prediction', ...taps] });
      const tokens = await values(outputs['transformer.proj_out']);
      report.floats(`seq_cat ${name}.tokens`, tokens, tensors.floats(`${name}.tokens`));
      const whole = unpatchifyAll(tokens, checkpoint, { batch, height, width });
      report.floats(`seq_cat ${name}.output`, whole, tensors.floats(`${name}.output`));
    }
    const session = await backend.open('transformer', checkpoint, { task: 'generate', taps });
    const outputs = await session.run(common, { outputs: ['prediction', ...taps] });
    report.floats('seq_cat t2i.tokens', await values(outputs['transformer.proj_out']), tensors.floats('t2i.tokens'));
    report.floats('seq_cat t2i.output', await values(outputs.prediction), tensors.floats('t2i.output'));
  } finally {
    await backend.close();
  }
}

async function values(tensor: Tensor | undefined): Promise<Float32Array> {
  return ((await tensor?.data()) ?? new Float32Array()) as Float32Array;
}

/** Noisy latents and source lie on the channels of one tensor. */
function halves(
  all: Float32Array,
  [batch, channels, height, width]: readonly [number, number, number, number],
): [HostTensor<'float32'>, HostTensor<'float32'>] {
  const size = (channels / 2) * height * width;
  const part = (half: number): HostTensor<'float32'> => {
    const data = new Float32Array(batch * size);
    for (let row = 0; row < batch; row++)
      data.set(all.subarray((2 * row + half) * size, (2 * row + half + 1) * size), row * size);
    return hostTensor('float32', [batch, channels / 2, height, width], data);
  };
  return [part(0), part(1)];
}

/**
 * What the reference makes of the tokens: it reads twice the tokens as if they were the tokens of one picture, so that neighbours land in
 * the channels. Patch layout as in its forward: [height, width, patch, patch, rest] to [rest, height * patch, width * patch].
 */
function unpatchifyAll(
  tokens: Float32Array,
  checkpoint: Checkpoint,
  size: { batch: number; height: number; width: number },
): Float32Array {
  const { patch_size: patch } = checkpoint.transformer.config;
  const rows = Math.floor(size.height / patch);
  const columns = Math.floor(size.width / patch);
  const rest = tokens.length / (size.batch * rows * columns * patch * patch);
  const result = new Float32Array(tokens.length);
  let from = 0;
  for (let batch = 0; batch < size.batch; batch++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (let y = 0; y < patch; y++) {
          for (let x = 0; x < patch; x++) {
            for (let channel = 0; channel < rest; channel++) {
              const line = ((batch * rest + channel) * rows + row) * patch + y;
              const at = (line * columns + column) * patch + x;
              result[at] = tokens[from++] as number;
            }
          }
        }
      }
    }
  }
  return result;
}
