import { describe, expect, test } from 'vitest';
import type { COMPONENTS } from '../backend/component.js';
import { type HostTensor, hostTensor, type Tensor } from '../backend/tensor.js';
import { loadConformanceData } from './conformance-cases.js';
import { exampleInputs } from './example-inputs.js';
import { createFakeBackend } from './fake-backend.js';

const { checkpoint } = await loadConformanceData();

async function run(
  component: (typeof COMPONENTS)[number],
  inputs: Record<string, Tensor>,
): Promise<Record<string, HostTensor>> {
  const session = await createFakeBackend().open(component, checkpoint);
  return (await session.run(inputs)) as Record<string, HostTensor>;
}

describe('fake backend', () => {
  test('the autoencoder gives the picture back at a lower resolution', async () => {
    const latent_size = hostTensor('int64', [2], BigInt64Array.of(2n, 3n));
    const image = hostTensor(
      'float32',
      [1, 3, 8, 12],
      Float32Array.from({ length: 288 }, (_, index) => Math.floor(index / 96) - 1),
    );
    const { latents } = await run('vaeEncoder', { image, latent_size });
    expect(latents?.shape).toEqual([1, 8, 2, 3]);
    const { image: decoded } = await run('vaeDecoder', { latents: latents!, latent_size });
    expect(decoded).toMatchObject({ shape: image.shape, values: image.values });
  });

  test('the transformer leads from any noise to the source and a shift by the prompt', async () => {
    const inputs = exampleInputs({ component: 'transformer', checkpoint });
    const context = await run('transformerContext', exampleInputs({ component: 'transformerContext', checkpoint }));
    const { prediction } = await run('transformer', { ...inputs, ...context });
    const { latents, source_latents: source } = inputs as Record<string, HostTensor>;
    const shifts = Array.from(
      prediction!.values as Float32Array,
      (velocity, index) => Number(latents!.values[index]) - 0.7 * velocity - Number(source!.values[index]),
    );
    for (const shift of shifts) expect(shift).toBeCloseTo(shifts[0]!, 5);
  });

  test('another prompt is heard', async () => {
    const inputs = exampleInputs({ component: 'textEncoder', checkpoint });
    const other = exampleInputs({ component: 'textEncoder', checkpoint, seed: 1 });
    const [one, two] = [
      await run('textEncoder', inputs),
      await run('textEncoder', { ...inputs, input_ids: other.input_ids! }),
    ];
    expect(one.meta_hidden_states?.values).not.toEqual(two.meta_hidden_states?.values);
  });

  test('tells what it was asked to do', async () => {
    const backend = createFakeBackend();
    const session = await backend.open('connector', checkpoint);
    const outputs = await session.run(exampleInputs({ component: 'connector', checkpoint }), {
      keep: ['prompt_embeds'],
    });
    expect(backend.kept).toBe(1);
    expect(backend.openComponents).toEqual(['connector']);
    outputs.prompt_embeds?.dispose();
    await session.close();
    expect(backend.kept).toBe(0);
    expect(backend.openComponents).toEqual([]);
    expect(backend.calls).toEqual([
      { kind: 'open', component: 'connector', shapes: {} },
      { kind: 'run', component: 'connector', shapes: { hidden_states: [1, 6, 32] } },
      { kind: 'close', component: 'connector', shapes: {} },
    ]);
  });
});
