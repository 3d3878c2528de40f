import {
  type Checkpoint,
  COMPONENTS,
  InvalidArgumentError,
  InvalidCheckpointError,
  openCheckpoint,
  type TensorInfo,
} from '@vibe-edit/core';
import ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { GOLDEN_CASES } from '../../../test/golden-cases.js';
import { compileComponent } from './compile-component.js';
import type { CompileTarget } from './target.js';

const checkpoint = await openCheckpoint(GOLDEN_CASES[0]!.checkpoint);

/** The checkpoint with one weight of the transformer replaced. */
function withWeight(name: string, change: (tensor: TensorInfo) => TensorInfo | undefined): Checkpoint {
  const stateDict = new Map(checkpoint.transformer.stateDict);
  const changed = change(stateDict.get(name) as TensorInfo);
  if (changed === undefined) stateDict.delete(name);
  else stateDict.set(name, changed);
  return { ...checkpoint, transformer: { ...checkpoint.transformer, stateDict } };
}

const QUERY = 'transformer_blocks.1.attn1.to_q.weight';

test.each(COMPONENTS)(
  '%s: ONNX Runtime takes the graph, and its inputs and outputs are as announced',
  async (component) => {
    const model = compileComponent({ component, checkpoint });
    const session = await ort.InferenceSession.create(model.bytes, {
      intraOpNumThreads: 1,
      extra: { session: { model_external_initializers_file_folder_path: model.weightsRoot } },
    });
    expect(session.inputNames).toEqual(model.inputs.map(({ name }) => name));
    expect(session.outputNames).toEqual(model.outputs.map(({ name }) => name));
    await session.release();
  },
);

test('every weight of the checkpoint is read by a component, but for the unused output head', () => {
  const read = new Set(COMPONENTS.flatMap((component) => compileComponent({ component, checkpoint }).weights));
  const folders = { text_encoder: checkpoint.textEncoder, transformer: checkpoint.transformer, vae: checkpoint.vae };
  const unread = Object.entries(folders).flatMap(([folder, { stateDict }]) =>
    [...stateDict.keys()].map((key) => `${folder}.${key}`).filter((name) => !read.has(name)),
  );
  expect(unread).toEqual(['text_encoder.lm_head.weight']);
});

test('a graph holds no weights: it is small and made in no time', () => {
  const { bytes } = compileComponent({ component: 'transformer', checkpoint });
  expect(bytes.length).toBeLessThan(200_000);
});

test('matrices that are stored in another type may be inputs; wider kernels and float32 never are', async () => {
  const halves = await openCheckpoint(GOLDEN_CASES[1]!.checkpoint);
  const target = { attention: 'plain', embeddings: 'stored', matrixInputs: 1 } as const;
  for (const component of ['transformer', 'vaeDecoder'] as const) {
    const plain = compileComponent({ component, checkpoint: halves });
    const fed = compileComponent({ component, checkpoint: halves, target });
    const session = await ort.InferenceSession.create(fed.bytes, {
      intraOpNumThreads: 1,
      extra: { session: { model_external_initializers_file_folder_path: fed.weightsRoot } },
    });
    const names = fed.weightInputs.map(({ name }) => name);
    expect(session.inputNames).toEqual([...fed.inputs.map(({ name }) => name), ...names]);
    expect(names.length).toBeGreaterThan(5);
    expect(fed.inputs).toEqual(plain.inputs);
    expect(fed.weights).toEqual(plain.weights);
    for (const { tensor } of fed.weightInputs) expect(tensor.shape.slice(2).every((size) => size === 1)).toBe(true);
    await session.release();
  }
  expect(compileComponent({ component: 'transformer', checkpoint, target }).weightInputs).toEqual([]);
});

test('of the linear layers, only those get wider whose weights the graph converts', async () => {
  const halves = await openCheckpoint(GOLDEN_CASES[1]!.checkpoint);
  const target = { attention: 'fused', embeddings: 'stored', crowdedWidth: 16 } as const;
  const widened = (options: { checkpoint: Checkpoint; target: CompileTarget }): boolean =>
    Buffer.from(compileComponent({ component: 'textEncoder', ...options }).bytes).includes('.stored.padded');
  expect(widened({ checkpoint: halves, target })).toBe(true);
  expect(widened({ checkpoint: halves, target: { ...target, crowdedWidth: 1024 } })).toBe(false);
  expect(widened({ checkpoint: halves, target: { ...target, matrixInputs: 1 } })).toBe(false);
  expect(widened({ checkpoint, target })).toBe(false);
});

test('symbolic dimensions can be fixed', () => {
  const dimensions = { batch: 3, latent_height: 16, latent_width: 20 };
  const { inputs } = compileComponent({ component: 'transformer', checkpoint, dimensions });
  expect(inputs.find(({ name }) => name === 'latents')?.shape).toEqual([3, 32, 16, 20]);
});

test('a module can be tapped by its path, and an unknown path is refused by name', () => {
  const taps = ['transformer.transformer_blocks.0.attn1', 'transformer.norm_out'];
  expect(compileComponent({ component: 'transformer', checkpoint, taps }).taps.map(({ name }) => name)).toEqual(taps);
  const unknown = () => compileComponent({ component: 'transformer', checkpoint, taps: ['transformer.nothing'] });
  expect(unknown).toThrow(InvalidArgumentError);
  expect(unknown).toThrow(/transformer\.nothing/);
});

describe('a weight that does not fit', () => {
  const failure = (broken: Checkpoint): InvalidCheckpointError => {
    try {
      compileComponent({ component: 'transformer', checkpoint: broken });
    } catch (error) {
      if (error instanceof InvalidCheckpointError) return error;
      throw error;
    }
    throw new Error('It was compiled');
  };

  test('missing', () => {
    expect(failure(withWeight(QUERY, () => undefined))).toMatchObject({
      tensor: QUERY,
      received: 'nothing of that name',
    });
  });

  test('missing, whichever of them it is: none is taken for one that the model does without', () => {
    const parts = ['textEncoder', 'transformer', 'vae'] as const;
    for (const part of parts) {
      for (const name of checkpoint[part].stateDict.keys()) {
        if (name === 'lm_head.weight') continue;
        const stateDict = new Map(checkpoint[part].stateDict);
        stateDict.delete(name);
        const broken: Checkpoint = { ...checkpoint, [part]: { ...checkpoint[part], stateDict } };
        const compileAll = (): void => {
          for (const component of COMPONENTS) compileComponent({ component, checkpoint: broken });
        };
        expect(compileAll, name).toThrow(InvalidCheckpointError);
      }
    }
  });

  test('of another shape', () => {
    const error = failure(withWeight(QUERY, (tensor) => ({ ...tensor, shape: [64, 63] })));
    expect(error).toMatchObject({ tensor: QUERY, expected: 'shape [64, 64]', received: '[64, 63]' });
    expect(error.file).toMatch(/diffusion_pytorch_model\.safetensors$/);
  });

  test('of another rank', () => {
    expect(failure(withWeight(QUERY, (tensor) => ({ ...tensor, shape: [4096] })))).toMatchObject({
      received: '[4096]',
    });
  });

  test('of whole numbers', () => {
    expect(failure(withWeight(QUERY, (tensor) => ({ ...tensor, dtype: 'I64' })))).toMatchObject({ received: 'I64' });
  });

  test('outside the folder that the session may read', () => {
    const error = failure(withWeight(QUERY, (tensor) => ({ ...tensor, file: '/elsewhere/weights.safetensors' })));
    expect(error).toMatchObject({ file: '/elsewhere/weights.safetensors' });
  });
});
