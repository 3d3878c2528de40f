import { type Component, createPromptEncoder, textEncoderInputs } from '@vibe-edit/core';
import { type RunComparison, validRows } from './compare-run.js';
import { float64Noise } from './golden-case.js';
import { readThinning } from './thinning.js';

/** The component whose graph has the module of a trace's name. */
export function componentOfTap(name: string): Component {
  if (name.startsWith('visual.')) return 'visionEncoder';
  if (name.startsWith('language_model.')) return 'textEncoder';
  if (name.startsWith('edit_head.')) return 'connector';
  if (name.startsWith('transformer.caption_')) return 'transformerContext';
  if (name.startsWith('transformer.')) return 'transformer';
  return name.startsWith('vae.encoder.') ? 'vaeEncoder' : 'vaeDecoder';
}

/** Module outputs that a trace file asks for, by component. */
export function tapsOf(names: readonly string[]): Partial<Record<Component, string[]>> {
  const taps: Partial<Record<Component, string[]>> = {
    textEncoder: ['language_model.inputs_embeds', 'language_model.norm'],
  };
  for (const name of names) {
    const { name: path } = readThinning(name);
    const component = componentOfTap(path);
    const list = taps[component] ?? [];
    if (!list.includes(path)) list.push(path);
    taps[component] = list;
  }
  return taps;
}

/**
 * Inside a component activations may be hundreds of times larger than what comes out of it: there the tolerance grows with the largest
 * value, at 80 times float32's precision.
 */
const RELATIVE_TOLERANCE = 1e-5;

/** The result of each component, whose noise its inside has as well. */
const RESULTS: Readonly<Record<Component, string>> = {
  visionEncoder: 'image_embeds',
  textEncoder: 'last_hidden_state',
  connector: 'prompt_embeds',
  transformerContext: 'prompt_embeds',
  transformer: 'step.0.branches',
  vaeEncoder: 'encoder_output',
  vaeDecoder: 'decoded',
};

/** Compares the outputs of single modules. */
export async function compareTrace(comparison: RunComparison): Promise<void> {
  const { report, folder, path, recorder, checkpoint, run } = comparison;
  const tensors = await folder.tensors(`${path}/trace.safetensors`);
  for (const name of tensors.names) {
    const { name: module, apply } = readThinning(name);
    const component = componentOfTap(module);
    const runs = recorder.all(component);
    // The connector also runs on zeros, for the unconditional embedding; traces are of the first real call.
    const call = runs.find(
      ({ inputs }) => !(inputs.hidden_states?.values as Float32Array | undefined)?.every((value) => value === 0),
    );
    const output = call?.outputs[module];
    const label = `${path} trace ${name}`;
    const noise = float64Noise(comparison.noise, run.name, RESULTS[component]);
    if (component !== 'textEncoder') {
      const expected = tensors.floats(name);
      const actual = output && apply({ shape: output.shape, values: output.values as Float32Array });
      report.floats(label, actual, expected, Math.max(noise, innerNoise(expected)));
      continue;
    }
    const instructions = typeof run.prompt === 'string' ? [run.prompt] : run.prompt;
    const grid = comparison.source?.grid;
    const prompts = createPromptEncoder(checkpoint).encode({ instructions, grid });
    const queries = checkpoint.transformer.config.num_meta_queries;
    const laidOut = textEncoderInputs({ prompts, grid, config: checkpoint.textEncoder.config, queries });
    const every = Number(/every (\d+)\w+ token/.exec(name)?.[1] ?? 1);
    const valid = validRows(output, tensors.take(name), laidOut, every);
    report.floats(label, valid.values, valid.expected, Math.max(noise, innerNoise(valid.expected)));
  }
}

/** A quarter of the tolerance, as `Report.floats` takes it. */
function innerNoise(expected: Float32Array): number {
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return (RELATIVE_TOLERANCE * largest) / 4;
}
