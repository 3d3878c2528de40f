import { openCheckpoint } from '@vibe-edit/core';
import {
  type Checkpoint,
  type Component,
  createPromptEncoder,
  emptyPictureFeatures,
  type HostTensor,
  hostTensor,
  type ImageGrid,
  InvalidCheckpointError,
  textEncoderInputs,
  visionEncoderInputs,
} from '@vibe-edit/core/runtime';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { GOLDEN_CASES } from '../../../../../test/golden-cases.js';
import { type GoldenTensor, goldenTensors, maxDifference } from '../../../../../test/golden-vectors.js';
import { compileComponent } from '../../compile-component.js';
import { Graph } from '../../ir/graph.js';
import type { CompileTarget } from '../../target.js';
import { buildTextEncoder } from './text-encoder.js';

const TARGETS: readonly CompileTarget[] = [
  { attention: 'plain', embeddings: 'float32' },
  { attention: 'fused', embeddings: 'stored' },
  { attention: 'fused', embeddings: 'stored', crowdedWidth: 16 },
];
/** Largest absolute difference of a value; what is normalised stays about 1, hidden states of the preview reach 31. */
const TOLERANCE = 1e-5;
const TRACE_TOLERANCE = 5e-5;

type FloatTensor = Tensor & { data: Float32Array };

async function run(options: {
  component: Component;
  checkpoint: Checkpoint;
  target: CompileTarget;
  inputs: Readonly<Record<string, HostTensor>>;
  taps?: readonly string[];
}): Promise<Record<string, FloatTensor>> {
  const { inputs, ...compile } = options;
  const { bytes, weightsRoot } = compileComponent(compile);
  const session = await InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { model_external_initializers_file_folder_path: weightsRoot } },
  });
  const feeds = Object.entries(inputs).map(([name, { dtype, values, shape }]) => [
    name,
    new Tensor(dtype, values, shape),
  ]);
  const outputs = await session.run(Object.fromEntries(feeds));
  await session.release();
  return outputs as Record<string, FloatTensor>;
}

/** Compares `every`th rows of a value with a recorded one; rows that `counts` leaves out may differ. */
function rowsDifference(
  value: FloatTensor,
  golden: GoldenTensor,
  every = 1,
  counts: (row: number) => boolean = () => true,
): number {
  const width = golden.shape.at(-1)!;
  let largest = 0;
  for (let row = 0; row < golden.values.length / width; row++) {
    if (!counts(row * every)) continue;
    const ours = value.data.subarray(row * every * width, (row * every + 1) * width);
    largest = Math.max(largest, maxDifference(ours, golden.values.subarray(row * width, (row + 1) * width)));
  }
  return largest;
}

/** Recorded modules of a part of the checkpoint, by path, and how far apart their recorded rows are. */
function recorded(trace: ReadonlyMap<string, GoldenTensor>, prefix: string) {
  return [...trace].flatMap(([name, golden]) => {
    const path = name.replace(/\[.*/, '');
    const every = Number(/every (\d+)/.exec(name)?.[1] ?? 1);
    return path.startsWith(prefix) ? [{ path, every, golden }] : [];
  });
}

describe.each(GOLDEN_CASES)('$name', async ({ name, checkpoint: folder, runs }) => {
  const checkpoint = await openCheckpoint(folder);
  const { config } = checkpoint.textEncoder;
  const [full] = runs.filter((entry) => entry.full);
  const golden = goldenTensors(`${name}/runs/${full!.name}/tensors.safetensors`);
  const trace = goldenTensors(`${name}/runs/${full!.name}/trace.safetensors`);
  const [frames, rows, columns] = golden.get('image_grid_thw')!.values;
  const grid: ImageGrid = [frames!, rows!, columns!];
  const codes = golden.get('pixel_codes')!;
  const pixelCodes = hostTensor('uint8', codes.shape, codes.values as Uint8Array);
  const features = ['image_embeds', ...[...golden.keys()].filter((key) => key.startsWith('deepstack.'))];
  const fromGolden = (key: string): HostTensor =>
    hostTensor('float32', golden.get(key)!.shape, golden.get(key)!.values as Float32Array);
  const layOut = (instructions: readonly string[], picture: ImageGrid | undefined) =>
    textEncoderInputs({
      prompts: createPromptEncoder(checkpoint).encode({ instructions, grid: picture }),
      grid: picture,
      config,
      queries: checkpoint.transformer.config.num_meta_queries,
    });

  test.each(TARGETS)('the vision encoder gives the reference’s features: %o', async (target) => {
    const modules = recorded(trace, 'visual.');
    const outputs = await run({
      component: 'visionEncoder',
      checkpoint,
      target,
      inputs: visionEncoderInputs({ picture: { pixelCodes, grid }, config: config.vision_config }),
      taps: modules.map(({ path }) => path),
    });
    for (const key of features)
      expect(maxDifference(outputs[key]!.data, golden.get(key)!.values)).toBeLessThan(TOLERANCE);
    expect(modules.length).toBe(1 + config.vision_config.depth);
    for (const module of modules) {
      expect(rowsDifference(outputs[module.path]!, module.golden, module.every)).toBeLessThan(TRACE_TOLERANCE);
    }
  });

  test.each(TARGETS)('the text encoder gives the reference’s hidden states: %o', async (target) => {
    const modules = recorded(trace, 'language_model.');
    const { inputs, extendedAttentionMask: mask } = layOut([full!.prompt].flat(), grid);
    const outputs = await run({
      component: 'textEncoder',
      checkpoint,
      target,
      inputs: { ...inputs, ...Object.fromEntries(features.map((key) => [key, fromGolden(key)])) },
      taps: [...modules.map(({ path }) => path), 'language_model.inputs_embeds', 'language_model.norm'],
    });
    // Behind the padding the reference masks keys that a causal mask alone lets through: those rows go nowhere.
    const counts = (row: number): boolean => mask.values[row] === 1;
    expect(maxDifference(outputs['language_model.inputs_embeds']!.data, golden.get('inputs_embeds')!.values)).toBe(0);
    expect(rowsDifference(outputs['language_model.norm']!, golden.get('last_hidden_state')!, 1, counts)).toBeLessThan(
      TOLERANCE,
    );
    expect(maxDifference(outputs.meta_hidden_states!.data, golden.get('meta_hidden_states')!.values)).toBeLessThan(
      TOLERANCE,
    );
    expect(modules.length).toBe(config.text_config.num_hidden_layers);
    for (const module of modules) {
      expect(rowsDifference(outputs[module.path]!, module.golden, module.every, counts)).toBeLessThan(TRACE_TOLERANCE);
    }
  });

  test.each(TARGETS)('a prompt’s hidden states do not depend on its neighbours: %o', async (target) => {
    const encode = async (instructions: readonly string[]) => {
      const inputs = { ...layOut(instructions, undefined).inputs, ...emptyPictureFeatures(config) };
      const { meta_hidden_states } = await run({ component: 'textEncoder', checkpoint, target, inputs });
      return meta_hidden_states!.data;
    };
    const together = await encode(['a cat', 'a very long dog on a green bridge at night']);
    const alone = await encode(['a cat']);
    expect(maxDifference(together.subarray(0, alone.length), alone)).toBeLessThan(TOLERANCE);
  });

  test('every weight of the vision-language model is read', () => {
    const read = (['visionEncoder', 'textEncoder'] as const).flatMap(
      (component) => compileComponent({ component, checkpoint }).weights,
    );
    const stored = [...checkpoint.textEncoder.stateDict.keys()].map((key) => `text_encoder.${key}`);
    const ignored = ['text_encoder.lm_head.weight'];
    expect(new Set([...read, ...ignored])).toEqual(new Set([...stored, ...ignored, 'transformer.meta_queries']));
  });
});

test('the token table is read as it is stored, or converted, as the target says', async () => {
  const checkpoint = await openCheckpoint(GOLDEN_CASES[1]!.checkpoint);
  const tableType = (embeddings: CompileTarget['embeddings']) => {
    const graph = new Graph('textEncoder');
    buildTextEncoder({
      graph,
      checkpoint,
      task: 'edit',
      taps: [],
      target: { attention: 'plain', embeddings },
      input: (input, dtype, shape) => graph.addInput(input, dtype, shape),
    });
    return graph.weights.get('text_encoder.model.language_model.embed_tokens.weight')!.value.dtype;
  };
  expect(tableType('stored')).toBe('bfloat16');
  expect(tableType('float32')).toBe('float32');
});

test('an activation that is not known is an error of the config', async () => {
  const checkpoint = await openCheckpoint(GOLDEN_CASES[0]!.checkpoint);
  const { config, stateDict } = checkpoint.textEncoder;
  const vision_config = { ...config.vision_config, hidden_act: 'tanhshrink' };
  const changed = { ...checkpoint, textEncoder: { config: { ...config, vision_config }, stateDict } };
  expect(() => compileComponent({ component: 'visionEncoder', checkpoint: changed })).toThrow(InvalidCheckpointError);
  expect(() => compileComponent({ component: 'visionEncoder', checkpoint: changed })).toThrow(/hidden_act.*tanhshrink/);
});
