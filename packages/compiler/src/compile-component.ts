import {
  type Checkpoint,
  type Component,
  type DType,
  InvalidArgumentError,
  type TensorInfo,
} from '@vibe-edit/core/runtime';
import type { ComponentBuilder } from './build-context.js';
import { Graph, type Value } from './ir/graph.js';
import type { Dim } from './ir/shape.js';
import { buildVaeDecoder } from './models/autoencoder-dc/decoder.js';
import { buildVaeEncoder } from './models/autoencoder-dc/encoder.js';
import { buildConnector } from './models/meta-connector/connector.js';
import { buildTextEncoder } from './models/qwen3-vl/text-encoder.js';
import { buildVisionEncoder } from './models/qwen3-vl/vision-encoder.js';
import { buildTransformer } from './models/sana/transformer.js';
import { buildTransformerContext } from './models/sana/transformer-context.js';
import { serializeModel } from './onnx/model-proto.js';
import { type CompileTarget, DEFAULT_TARGET } from './target.js';

export interface CompileOptions {
  component: Component;
  checkpoint: Checkpoint;
  /** What the transformer will be used for; matters for `seq_cat` conditioning only. Default `edit`. */
  task?: 'edit' | 'generate';
  /** Paths of modules whose outputs become extra outputs, e.g. `transformer.transformer_blocks.0.attn1`. */
  taps?: readonly string[];
  /** Symbolic dimensions to fix, e.g. `{ batch: 3 }`. */
  dimensions?: Readonly<Record<string, number>>;
  target?: CompileTarget;
}

export interface ValueInfo {
  readonly name: string;
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

export interface CompiledModel {
  /** ONNX ModelProto. Weights are external data, their locations relative to `weightsRoot`. */
  readonly bytes: Uint8Array;
  readonly weightsRoot: string;
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  readonly taps: readonly ValueInfo[];
  /** Weights that the graph reads, as `folder.key`. */
  readonly weights: readonly string[];
  /** Weights that the graph takes as inputs in float32; see `CompileTarget.matrixInputs`. */
  readonly weightInputs: readonly WeightInput[];
}

/** A weight that a backend feeds to the graph in every run. */
export interface WeightInput {
  /** Name of the input. */
  readonly name: string;
  /** Where its elements are, in the type of the file: a tensor, or some of its rows. */
  readonly tensor: TensorInfo;
}

const BUILDERS: Readonly<Record<Component, ComponentBuilder>> = {
  visionEncoder: buildVisionEncoder,
  textEncoder: buildTextEncoder,
  connector: buildConnector,
  transformerContext: buildTransformerContext,
  transformer: buildTransformer,
  vaeEncoder: buildVaeEncoder,
  vaeDecoder: buildVaeDecoder,
};

/**
 * Compiles one component of a checkpoint to an ONNX model. Reads no weights: takes milliseconds.
 *
 * @throws {InvalidCheckpointError} when a weight is missing or its shape is not what the configs say.
 * @throws {InvalidArgumentError} when a tap names no module of the component.
 * @example
 * ```ts
 * import { compileComponent } from '@vibe-edit/compiler';
 * import { openCheckpoint } from '@vibe-edit/core';
 *
 * const checkpoint = await openCheckpoint('./VIBE-Image-Edit');
 * const { bytes } = compileComponent({ component: 'vaeDecoder', checkpoint });
 * ```
 */
export function compileComponent(options: CompileOptions): CompiledModel {
  const { component, checkpoint, task = 'edit', taps = [], dimensions = {}, target = DEFAULT_TARGET } = options;
  const graph = new Graph(component, target);
  const missing = BUILDERS[component]({
    graph,
    checkpoint,
    task,
    taps,
    target,
    input: (name, dtype, shape) =>
      graph.addInput(
        name,
        dtype,
        shape.map((dim) => (typeof dim === 'string' ? (dimensions[dim] ?? dim) : dim)),
      ),
  });
  if (missing.length > 0) {
    throw new InvalidArgumentError({
      argument: 'taps',
      expected: `modules of ${component}`,
      received: missing.join(', '),
    });
  }
  const weights = [...graph.weights.values()];
  return {
    bytes: serializeModel(graph, checkpoint.weightsRoot),
    weightsRoot: checkpoint.weightsRoot,
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    taps: graph.taps.map(info),
    weights: [...new Set(weights.map(({ key }) => key))],
    weightInputs: weights.filter(({ isInput }) => isInput).map(({ value, tensor }) => ({ name: value.name, tensor })),
  };
}

function info({ name, dtype, shape }: Value): ValueInfo {
  return { name, dtype: dtype as DType, shape };
}
