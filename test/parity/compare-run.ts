import {
  type Checkpoint,
  createPromptEncoder,
  type EditedImage,
  type EncodedPrompts,
  type HostTensor,
  type ImageGrid,
  letterbox,
  type TextEncoderInputs,
  textEncoderInputs,
} from '@vibe-edit/core';
import { float64Noise, type GoldenRun, isJudged, type NoiseFloor } from './golden-case.js';
import type { GoldenFolder, GoldenTensors } from './golden-folder.js';
import type { Recorder } from './recorder.js';
import type { Report } from './report.js';
import { pick, readThinning } from './thinning.js';

export interface RunComparison {
  readonly report: Report;
  readonly folder: GoldenFolder;
  /** Folder of the run inside the case, e.g. `runs/edit`. */
  readonly path: string;
  readonly run: GoldenRun;
  readonly checkpoint: Checkpoint;
  /** What the pipeline's own call was seen doing. */
  readonly recorder: Recorder;
  /** Its pictures, in the pipeline's geometry. */
  readonly images: readonly EditedImage[];
  readonly noise: NoiseFloor | undefined;
  /** The source's size and its patches; none in text-to-image. */
  readonly source: { readonly width: number; readonly height: number; readonly grid: ImageGrid } | undefined;
}

interface Shaped {
  readonly shape: readonly number[];
  readonly values: ArrayLike<number>;
}

/** Compares every tensor of `tensors.safetensors` and every field of the run with what the pipeline did. */
export async function compareRun(comparison: RunComparison): Promise<void> {
  const { report, folder, path, run } = comparison;
  const tensors = await folder.tensors(`${path}/tensors.safetensors`);
  const seen = observe(comparison);
  compareFields(comparison, seen);
  const judged = isJudged(run);
  for (const name of tensors.names) {
    const label = `${path} ${name}`;
    const integers = seen.integers(name);
    if (integers !== undefined) {
      report.integers(label, integers, tensors.take(name).values);
      continue;
    }
    const actual = seen.floats(name, tensors);
    if (actual === undefined) continue;
    const expected = actual.expected ?? tensors.floats(name);
    // The noise of a bfloat16 run is drawn in bfloat16 and must agree to the bit; what it goes through is float32 here.
    if (judged)
      report.floats(label, actual.values, expected, float64Noise(comparison.noise, run.name, readThinning(name).name));
    else if (name === 'initial_noise') report.floats(label, actual.values, expected);
    else report.shown(label, actual.values, expected);
  }
}

interface Observed {
  readonly prompts: EncodedPrompts;
  integers(name: string): ArrayLike<number | bigint> | undefined;
  floats(
    name: string,
    tensors: GoldenTensors,
  ): { values: ArrayLike<number> | undefined; expected?: ArrayLike<number> } | undefined;
}

function observe(comparison: RunComparison): Observed {
  const { checkpoint, recorder, run } = comparison;
  const vision = recorder.first('visionEncoder');
  const text = recorder.first('textEncoder');
  const encoder = createPromptEncoder(checkpoint);
  const instructions = typeof run.prompt === 'string' ? [run.prompt] : run.prompt;
  const grid = comparison.source?.grid;
  const prompts = encoder.encode({ instructions, grid });
  const laidOut = textEncoderInputs({
    prompts,
    grid,
    config: checkpoint.textEncoder.config,
    queries: checkpoint.transformer.config.num_meta_queries,
  });
  const schedule = recorder.schedule;
  const denoising = recorder.all('transformer');
  const branches = (denoising[0]?.inputs.latents?.shape[0] ?? 0) / (run.latents_shape[0] ?? 1);
  return {
    prompts,
    integers(name) {
      if (name === 'input_ids') return prompts.inputIds.values;
      if (name === 'attention_mask') return prompts.attentionMask.values;
      if (name === 'image_grid_thw') return grid && instructions.flatMap(() => [...grid]);
      if (name === 'position_ids') return laidOut.positionIds.values;
      if (name === 'extended_attention_mask') return laidOut.extendedAttentionMask.values;
      if (name === 'visual_pos_masks') return laidOut.visualPositionsMask.values;
      if (name === 'pixel_codes') return vision?.inputs.pixel_codes?.values;
      if (name === 'timesteps') return schedule?.timesteps;
      return undefined;
    },
    floats(name, tensors) {
      const { name: bare, apply } = readThinning(name);
      const of = (value: Shaped | undefined) => ({ values: value && apply(value) });
      const step = /^step\.(\d+)\.(\w+)$/.exec(bare);
      if (step !== null) return stepTensor(comparison, Number(step[1]), step[2] as string, tensors, name, branches);
      switch (bare) {
        case 'pixel_values_sample':
          return { values: pixelSample(vision?.inputs.pixel_codes, checkpoint) };
        case 'inputs_embeds':
          return of(tapped(text?.outputs['language_model.inputs_embeds']));
        case 'last_hidden_state':
          return validRows(text?.outputs['language_model.norm'], tensors.take(name), laidOut);
        case 'meta_hidden_states':
          return of(tapped(text?.outputs.meta_hidden_states));
        case 'prompt_embeds':
          return of(connectorOutput(recorder, false));
        case 'null_embeds':
          return of(repeated(connectorOutput(recorder, true), instructions.length));
        case 'branch_prompt_embeds':
          return leading(
            joined(recorder.all('transformerContext').map((entry) => entry.inputs.prompt_embeds)),
            tensors.take(name),
          );
        case 'vae_input':
          return of(tapped(recorder.first('vaeEncoder')?.inputs.image));
        case 'source_latents':
          return of(scaled(recorder.first('vaeEncoder')?.outputs.latents, checkpoint.vae.config.scaling_factor));
        case 'initial_noise':
          return {
            values:
              tapped(denoising[0]?.inputs.latents)?.values &&
              firstRows(denoising[0]?.inputs.latents, run.latents_shape),
          };
        case 'sigmas':
          return { values: schedule?.sigmas };
        case 'model_timesteps':
          return modelTimesteps(comparison, tensors, name);
        case 'decoder_input': {
          // The last step's latents, divided: judged as latents, or a small factor would enlarge their differences.
          const divided = joined(recorder.all('vaeDecoder').map((entry) => entry.inputs.latents));
          const factor = checkpoint.vae.config.scaling_factor;
          const latents = (values: ArrayLike<number>) => Float32Array.from(values, (value) => value * factor);
          return { values: divided && latents(divided.values), expected: latents(tensors.floats(name)) };
        }
        case 'decoded':
          return of(tapped(recorder.first('vaeDecoder')?.outputs.image));
        case 'decoded_corner': {
          const decoded = tapped(recorder.first('vaeDecoder')?.outputs.image);
          const shape = tensors.take(name).shape;
          return {
            values:
              decoded &&
              pick(
                decoded.shape,
                decoded.values,
                shape,
                shape.map(() => 1),
              ),
          };
        }
        default: {
          const features = vision?.outputs[bare];
          return features === undefined ? undefined : of(tapped(features));
        }
      }
    },
  };
}

/** Predictions, guided predictions and latents of one step. */
function stepTensor(
  { recorder, run }: RunComparison,
  index: number,
  kind: string,
  tensors: GoldenTensors,
  name: string,
  branches: number,
): ReturnType<Observed['floats']> {
  const call = recorder.all('transformer')[index];
  const step = recorder.steps[index];
  if (kind === 'combined') return { values: step?.combined };
  if (kind === 'latents') return { values: step?.latents };
  if (kind === 'branches') return leading(tapped(call?.outputs.prediction), tensors.take(name));
  if (kind !== 'model_input') return undefined;
  const latents = tapped(call?.inputs.latents);
  // In text-to-image the reference hands the latents in twice, and its transformer replaces the second half by zeros.
  const source = run.picture === undefined ? latents : tapped(call?.inputs.source_latents);
  if (latents === undefined || source === undefined) return { values: undefined };
  const rows = (run.latents_shape[0] ?? 1) * branches;
  const size = latents.values.length / rows;
  const values = new Float32Array(2 * latents.values.length);
  for (let row = 0; row < rows; row++) {
    for (let at = 0; at < size; at++) {
      values[2 * row * size + at] = latents.values[row * size + at] as number;
      values[(2 * row + 1) * size + at] = source.values[row * size + at] as number;
    }
  }
  return leading({ shape: [], values }, tensors.take(name));
}

/**
 * A branch of weight 0 is not computed here, and it is always the last: what the reference has beyond ours is that branch.
 */
function leading(
  actual: Shaped | undefined,
  expected: { values: ArrayLike<number | bigint> },
): ReturnType<Observed['floats']> {
  const length = Math.min(actual?.values.length ?? 0, expected.values.length);
  return { values: actual?.values, expected: Array.prototype.slice.call(expected.values, 0, length) };
}

function modelTimesteps(
  { recorder, run }: RunComparison,
  tensors: GoldenTensors,
  name: string,
): ReturnType<Observed['floats']> {
  const { shape, values } = tensors.take(name);
  const [steps = 0, columns = 0] = shape;
  const given = recorder.all('transformer').map((call) => tapped(call.inputs.timestep)?.values ?? []);
  const count = Math.min(given[0]?.length ?? 0, columns);
  const expected = Array.from({ length: steps }, (_, step) =>
    Array.from({ length: count }, (_, row) => Number(values[step * columns + row])),
  );
  return {
    values: run.steps === given.length ? given.flatMap((row) => Array.from(row)) : undefined,
    expected: expected.flat(),
  };
}

/** Pixel values as the reference's processor gives them: every (patches / 16)th patch, the temporal frames repeated. */
function pixelSample(codes: HostTensor | undefined, checkpoint: Checkpoint): Float32Array | undefined {
  if (codes === undefined) return undefined;
  const [patches = 0, channels = 0, height = 0, width = 0] = codes.shape;
  const frames = checkpoint.imageProcessor.temporal_patch_size;
  const every = Math.max(1, Math.floor(patches / 16));
  const area = height * width;
  const values: number[] = [];
  for (let patch = 0; patch < patches; patch += every) {
    for (let channel = 0; channel < channels; channel++) {
      for (let frame = 0; frame < frames; frame++) {
        for (let pixel = 0; pixel < area; pixel++) {
          values.push(Number(codes.values[(patch * channels + channel) * area + pixel]) / 127.5 - 1);
        }
      }
    }
  }
  return Float32Array.from(values);
}

/** Rows of padding are left out: no other row sees them, and they differ by design (they attend to each other here). */
export function validRows(
  actual: HostTensor | undefined,
  expected: { shape: readonly number[]; values: ArrayLike<number | bigint> },
  laidOut: TextEncoderInputs,
  every = 1,
): { values: Float32Array | undefined; expected: Float32Array } {
  const [, , width = 1] = expected.shape;
  const [, sequence = 0] = laidOut.extendedAttentionMask.shape;
  const kept: number[] = [];
  const rows = expected.shape[0] ?? 0;
  const tokens = Math.ceil(sequence / every);
  for (let row = 0; row < rows; row++) {
    for (let token = 0; token < tokens; token++) {
      if (laidOut.extendedAttentionMask.values[row * sequence + token * every] === 1) kept.push(row * tokens + token);
    }
  }
  const thinned =
    actual &&
    (every === 1
      ? (actual.values as Float32Array)
      : pick(actual.shape, actual.values as Float32Array, [rows, sequence, width], [1, every, 1]));
  const take = (values: ArrayLike<number | bigint>): Float32Array =>
    Float32Array.from(
      kept.flatMap((row) => Array.from({ length: width }, (_, at) => Number(values[row * width + at]))),
    );
  return { values: thinned && take(thinned), expected: take(expected.values) };
}

/** The connector runs for the instructions and, on zeros, for the unconditional embedding. */
function connectorOutput(recorder: Recorder, unconditional: boolean): Shaped | undefined {
  const call = recorder
    .all('connector')
    .find(
      ({ inputs }) =>
        (inputs.hidden_states?.values as Float32Array | undefined)?.every((value) => value === 0) === unconditional,
    );
  return tapped(call?.outputs.prompt_embeds);
}

function tapped(tensor: HostTensor | undefined): Shaped | undefined {
  return tensor && { shape: tensor.shape, values: tensor.values as Float32Array };
}

function scaled(tensor: HostTensor | undefined, factor: number): Shaped | undefined {
  return tensor && { shape: tensor.shape, values: (tensor.values as Float32Array).map((value) => value * factor) };
}

function repeated(tensor: Shaped | undefined, times: number): Shaped | undefined {
  if (tensor === undefined) return undefined;
  const [rows = 1, ...rest] = tensor.shape;
  return {
    shape: [rows * times, ...rest],
    values: Array.from({ length: times }, () => Array.from(tensor.values)).flat(),
  };
}

function joined(tensors: readonly (HostTensor | undefined)[]): Shaped | undefined {
  const [first] = tensors;
  if (first === undefined) return undefined;
  const rows = tensors.reduce((total, tensor) => total + (tensor?.shape[0] ?? 0), 0);
  return {
    shape: [rows, ...first.shape.slice(1)],
    values: tensors.flatMap((tensor) => Array.from(tensor?.values as Float32Array)),
  };
}

function firstRows(tensor: HostTensor | undefined, shape: readonly number[]): Float32Array | undefined {
  const count = shape.reduce((total, size) => total * size, 1);
  return (tensor?.values as Float32Array | undefined)?.slice(0, count);
}

function compareFields({ report, path, run, recorder, noise, source }: RunComparison, seen: Observed): void {
  const label = (field: string): string => `${path} runs.json ${field}`;
  const latents = recorder.first('transformer')?.inputs.latents?.shape ?? [];
  const decoded = recorder.all('vaeDecoder').map((call) => call.outputs.image);
  const computed = (latents[0] ?? 0) / (run.latents_shape[0] ?? 1);
  const leftOut = run.picture !== undefined && run.guidance_scale > 1 && run.image_guidance_scale === 1 ? 1 : 0;
  report.same(label('branches'), computed + leftOut, run.branches);
  report.same(label('latents_shape'), [run.latents_shape[0], ...latents.slice(1)], run.latents_shape);
  report.same(label('decoded_shape'), [decoded.length, ...(decoded[0]?.shape.slice(1) ?? [])], run.decoded_shape);
  report.same(label('chat_text'), seen.prompts.chatTexts, run.chat_text.flat());
  const [, , height = 0, width = 0] = decoded[0]?.shape ?? [];
  if (run.bin !== undefined) report.same(label('bin'), [height, width], run.bin);
  if (run.editor_crop !== undefined && source !== undefined) {
    const { crop } = letterbox({ source, bin: { width, height } });
    report.same(label('editor_crop'), [crop.left, crop.top, crop.right, crop.bottom], run.editor_crop);
  }
  if (!isJudged(run)) return;
  const all = decoded.flatMap((image) => Array.from(image?.values as Float32Array));
  const rounding = 5e-5;
  const slack = float64Noise(noise, run.name, 'decoded') + rounding / 4;
  report.floats(label('decoded_mean'), [mean(all)], [run.decoded_mean], slack);
  report.floats(label('decoded_std'), [deviation(all)], [run.decoded_std], slack);
  report.floats(
    label('final_latents_std'),
    [deviation(recorder.steps.at(-1)?.latents ?? [])],
    [run.final_latents_std],
    slack,
  );
}

function mean(values: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < values.length; index++) total += values[index] as number;
  return total / values.length;
}

/** torch's `std`: the sample's, with n - 1. */
function deviation(values: ArrayLike<number>): number {
  const centre = mean(values);
  let total = 0;
  for (let index = 0; index < values.length; index++) total += ((values[index] as number) - centre) ** 2;
  return Math.sqrt(total / (values.length - 1));
}
