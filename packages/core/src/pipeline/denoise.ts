import type { Session } from '../backend/backend.js';
import { type HostTensor, hostTensor, type Tensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { throwIfAborted } from '../errors/aborted-error.js';
import type { Conditioning, StepState } from '../plugin/plugin.js';
import type { Schedule, Scheduler } from '../scheduler/scheduler.js';
import type { Branch, Guidance } from './guidance.js';
import type { SessionPool } from './session-pool.js';

export interface DenoiseInputs {
  readonly checkpoint: Checkpoint;
  readonly sessions: SessionPool;
  readonly scheduler: Scheduler;
  readonly schedule: Schedule;
  readonly guidance: Guidance;
  readonly task: 'edit' | 'generate';
  /** Initial noise, [pictures, channels, height, width]. */
  readonly noise: HostTensor<'float32'>;
  /** [1, channels, height, width]; none in text-to-image. */
  readonly sourceLatents: HostTensor<'float32'> | undefined;
  readonly conditioning: Conditioning;
  /** Pictures an instruction; those of one instruction lie side by side. */
  readonly numImages: number;
  /** Pictures denoised at once; more are taken in turns within a step. */
  readonly batchSize: number;
  readonly signal: AbortSignal | undefined;
  beforeStep(state: StepState): Promise<StepState>;
  afterStep(state: StepState): Promise<StepState>;
}

/** What one group of pictures is denoised with. */
interface Group {
  readonly first: number;
  readonly count: number;
  /** Keys and values of every block, held by the backend. */
  readonly context: Readonly<Record<string, Tensor>>;
}

/**
 * The denoising loop: noise to the final latents, [pictures, channels, height, width].
 *
 * ```
 * once:       prompt embeddings of all branches -> transformerContext -> keys, values (stay with the backend)
 * each step:  latents, source, timestep -> transformer -> guidance -> scheduler -> latents
 * ```
 */
export async function denoise(inputs: DenoiseInputs): Promise<HostTensor<'float32'>> {
  const { checkpoint, sessions, scheduler, schedule, noise, task, signal } = inputs;
  const groups = await prepareGroups(inputs);
  try {
    return await sessions.use('transformer', { task, ...(signal && { signal }) }, async (session) => {
      const { timesteps } = schedule;
      const { timestep_scale: scale } = checkpoint.transformer.config;
      let latents = noise;
      for (const [step, timestep] of timesteps.entries()) {
        throwIfAborted(signal);
        const before = await inputs.beforeStep({ step, steps: timesteps.length, timestep, latents });
        const prediction = await predict(session, inputs, groups, before.latents, Math.fround(timestep * scale));
        const stepped = scheduler.step({ modelOutput: prediction, stepIndex: step, sample: before.latents.values });
        const after = await inputs.afterStep({ ...before, latents: hostTensor('float32', noise.shape, stepped) });
        latents = after.latents;
      }
      return latents;
    });
  } finally {
    for (const { context } of groups) for (const tensor of Object.values(context)) tensor.dispose();
  }
}

async function prepareGroups(inputs: DenoiseInputs): Promise<Group[]> {
  const { checkpoint, sessions, noise, batchSize, signal } = inputs;
  const pictures = noise.shape[0] as number;
  const outputs = Array.from({ length: checkpoint.transformer.config.num_layers }, (_, index) => [
    `key.${index}`,
    `value.${index}`,
  ]).flat();
  const groups: Group[] = [];
  await sessions.use('transformerContext', { ...(signal && { signal }) }, async (session) => {
    for (let first = 0; first < pictures; first += batchSize) {
      const count = Math.min(batchSize, pictures - first);
      const prompt_embeds = branchPrompts(inputs, first, count);
      const context = await session.run({ prompt_embeds }, { keep: outputs, ...(signal && { signal }) });
      groups.push({ first, count, context });
    }
  });
  return groups;
}

/** Prompt embeddings of every branch of a group: [branches * count, queries, channels]. */
function branchPrompts(
  { conditioning, guidance, numImages }: DenoiseInputs,
  first: number,
  count: number,
): HostTensor<'float32'> {
  const { promptEmbeds, nullEmbeds } = conditioning;
  const [, queries, channels] = promptEmbeds.shape as readonly [number, number, number];
  const size = queries * channels;
  const values = new Float32Array(guidance.branches.length * count * size);
  for (const [index, { prompt }] of guidance.branches.entries()) {
    for (let picture = 0; picture < count; picture++) {
      const instruction = Math.floor((first + picture) / numImages);
      const row =
        prompt === 'null'
          ? nullEmbeds.values.subarray(0, size)
          : promptEmbeds.values.subarray(instruction * size, (instruction + 1) * size);
      values.set(row, (index * count + picture) * size);
    }
  }
  return hostTensor('float32', [guidance.branches.length * count, queries, channels], values);
}

/** The guided prediction for all pictures. */
async function predict(
  session: Session,
  inputs: DenoiseInputs,
  groups: readonly Group[],
  latents: HostTensor<'float32'>,
  timestep: number,
): Promise<Float32Array> {
  const { guidance, sourceLatents, signal } = inputs;
  const [, channels, height, width] = latents.shape as readonly [number, number, number, number];
  const size = channels * height * width;
  const guided = new Float32Array(latents.values.length);
  for (const { first, count, context } of groups) {
    const rows = guidance.branches.length * count;
    const shape = [rows, channels, height, width];
    const own = latents.values.subarray(first * size, (first + count) * size);
    const feeds: Record<string, Tensor> = {
      ...context,
      latents: hostTensor('float32', shape, repeat(own, guidance.branches.length)),
      timestep: hostTensor('float32', [rows], new Float32Array(rows).fill(timestep)),
      latent_size: hostTensor('int64', [2], BigInt64Array.of(BigInt(height), BigInt(width))),
    };
    if (session.inputs.includes('source_latents')) {
      feeds.source_latents = hostTensor('float32', shape, branchSources(guidance.branches, sourceLatents, count, size));
    }
    if (session.inputs.includes('source_mask')) {
      feeds.source_mask = hostTensor('float32', [rows], new Float32Array(rows).fill(1));
    }
    const { prediction } = await session.run(feeds, { ...(signal && { signal }) });
    const values = leadingChannels((await (prediction as Tensor<'float32'>).data()) as Float32Array, rows, size);
    guided.set(guidance.combine(values, count * size), first * size);
  }
  return guided;
}

function repeat(values: Float32Array, times: number): Float32Array<ArrayBuffer> {
  const result = new Float32Array(values.length * times);
  for (let index = 0; index < times; index++) result.set(values, index * values.length);
  return result;
}

function branchSources(
  branches: readonly Branch[],
  sourceLatents: HostTensor<'float32'> | undefined,
  count: number,
  size: number,
): Float32Array {
  const values = new Float32Array(branches.length * count * size);
  if (sourceLatents === undefined) return values;
  for (const [index, { source }] of branches.entries()) {
    if (source === 'zeros') continue;
    for (let picture = 0; picture < count; picture++)
      values.set(sourceLatents.values, (index * count + picture) * size);
  }
  return values;
}

/** A transformer that also predicts a variance (twice the channels) has the prediction in the first half. */
function leadingChannels(values: Float32Array, rows: number, size: number): Float32Array {
  const perRow = values.length / rows;
  if (perRow === size) return values;
  const leading = new Float32Array(rows * size);
  for (let row = 0; row < rows; row++) leading.set(values.subarray(row * perRow, row * perRow + size), row * size);
  return leading;
}
