import { type HostTensor, hostTensor, type Tensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { prepareVisionInput } from '../image/qwen-image-processor.js';
import type { Raster8 } from '../image/raster.js';
import type { Conditioning } from '../plugin/plugin.js';
import type { ImageGrid } from './conditioning/image-grid.js';
import { createPromptEncoder, type PromptEncoder } from './conditioning/prompt.js';
import { emptyPictureFeatures, textEncoderInputs } from './conditioning/text-inputs.js';
import { visionEncoderInputs } from './conditioning/vision-inputs.js';
import { flattenOnWhite } from './picture-tensor.js';
import type { SessionPool } from './session-pool.js';

/** The condition stage: instructions and picture to what the transformer hears of them. */
export interface Conditioner {
  condition(
    instructions: readonly string[],
    image: Raster8 | undefined,
    signal: AbortSignal | undefined,
  ): Promise<Conditioning>;
}

/**
 * ```
 * picture ──> patches ──> visionEncoder ──> image_embeds, deepstack ─┐ (stay with the backend)
 * instructions ──> chat text ──> token ids, positions ──────────────>┴─ textEncoder ──> connector ──> prompt embeddings
 *                                                                       zeros ────────> connector ──> null embedding (once)
 * ```
 *
 * @param options.batchSize Prompts that go through the text encoder at once.
 */
export function createConditioner(options: {
  checkpoint: Checkpoint;
  sessions: SessionPool;
  batchSize: number;
}): Conditioner {
  const { checkpoint, sessions, batchSize } = options;
  const { config } = checkpoint.textEncoder;
  const { num_meta_queries: queries, meta_queries_dim: width } = checkpoint.transformer.config;
  let encoder: PromptEncoder | undefined;
  let nullEmbeds: HostTensor<'float32'> | undefined;

  return {
    async condition(instructions, image, signal) {
      const abort = signal === undefined ? {} : { signal };
      encoder ??= createPromptEncoder(checkpoint);
      const patched =
        image &&
        (await prepareVisionInput({
          image: await flattenOnWhite(image, signal),
          config: checkpoint.imageProcessor,
          ...abort,
        }));
      // Refuses what cannot be encoded before the vision encoder is loaded.
      const groups = batches(instructions, batchSize).map((group) =>
        layOut(encoder as PromptEncoder, group, patched?.grid, config, queries),
      );
      const features: Readonly<Record<string, Tensor>> =
        patched === undefined
          ? emptyPictureFeatures(config)
          : await sessions.use('visionEncoder', abort, async (session) => {
              const inputs = visionEncoderInputs({ picture: patched, config: config.vision_config });
              return await session.run(inputs, { keep: session.outputs, ...abort });
            });
      const hidden: Tensor[] = [];
      try {
        await sessions.use('textEncoder', abort, async (session) => {
          for (const inputs of groups) {
            const outputs = await session.run({ ...inputs, ...features }, { keep: ['meta_hidden_states'], ...abort });
            hidden.push(outputs.meta_hidden_states as Tensor);
          }
        });
        return await sessions.use('connector', abort, async (session) => {
          const connect = async (hidden_states: Tensor): Promise<HostTensor<'float32'>> => {
            const { prompt_embeds } = await session.run({ hidden_states }, abort);
            return await onHost(prompt_embeds as Tensor<'float32'>);
          };
          const embeds: HostTensor<'float32'>[] = [];
          for (const states of hidden) embeds.push(await connect(states));
          nullEmbeds ??= await connect(hostTensor('float32', [1, queries, width], new Float32Array(queries * width)));
          return { promptEmbeds: stack(embeds), nullEmbeds };
        });
      } finally {
        for (const tensor of [...hidden, ...Object.values(features)]) tensor.dispose();
      }
    },
  };
}

function layOut(
  encoder: PromptEncoder,
  instructions: readonly string[],
  grid: ImageGrid | undefined,
  config: Checkpoint['textEncoder']['config'],
  queries: number,
): Readonly<Record<string, HostTensor>> {
  const prompts = encoder.encode({ instructions, grid });
  return textEncoderInputs({ prompts, grid, config, queries }).inputs;
}

function batches<Item>(items: readonly Item[], size: number): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, index) =>
    items.slice(index * size, (index + 1) * size),
  );
}

async function onHost(tensor: Tensor<'float32'>): Promise<HostTensor<'float32'>> {
  const values = await tensor.data();
  tensor.dispose();
  return hostTensor('float32', tensor.shape, values);
}

/** Joins batches on their first axis. */
function stack(parts: readonly HostTensor<'float32'>[]): HostTensor<'float32'> {
  const [first] = parts as readonly [HostTensor<'float32'>, ...HostTensor<'float32'>[]];
  if (parts.length === 1) return first;
  const rows = parts.reduce((total, part) => total + (part.shape[0] as number), 0);
  const values = new Float32Array(parts.reduce((total, part) => total + part.values.length, 0));
  let offset = 0;
  for (const part of parts) {
    values.set(part.values, offset);
    offset += part.values.length;
  }
  return hostTensor('float32', [rows, ...first.shape.slice(1)], values);
}
