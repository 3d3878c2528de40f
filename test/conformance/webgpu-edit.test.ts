import { fileURLToPath } from 'node:url';
import { webgpu } from '@vibe-edit/adapters/webgpu';
import { createEditor, createProcessBackend, type Plugin, readSafetensorsFile } from '@vibe-edit/core';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { findVulkan } from './vulkan.js';

const TOLERANCE = 1e-3;
const golden = (path: string): string => fileURLToPath(new URL(`../fixtures/golden/tiny-a/${path}`, import.meta.url));

const vulkan = await findVulkan(webgpu());
const missing = 'missing' in vulkan ? vulkan.missing : undefined;
if (missing !== undefined) console.warn(`NOT TESTED: an edit on WebGPU. ${missing}.`);

test('an edit on WebGPU gives the published results', { timeout: 1_800_000 }, async (context) => {
  context.skip(missing !== undefined, missing);
  const steps: Float32Array[] = [];
  const recorder: Plugin = {
    name: 'recorder',
    hooks: { afterStep: ({ latents }) => void steps.push(latents.values.slice()) },
  };
  const editor = await createEditor({
    checkpoint: golden('checkpoint'),
    backend: createProcessBackend(webgpu(), 'env' in vulkan ? { env: vulkan.env } : {}),
    plugins: [recorder],
  });
  try {
    const { image } = await editor.edit({
      image: golden('input.png'),
      instruction: '  add a red hat to the cat on the left ',
      numInferenceSteps: 5,
      guidanceScale: 4.5,
      imageGuidanceScale: 1.2,
      seed: 42,
      geometry: 'pipeline',
      preserve: 'off',
    });
    const tensors = await readSafetensorsFile(golden('runs/edit/tensors.safetensors'));
    expect(steps.length).toBe(5);
    for (const [step, latents] of steps.entries()) {
      const expected = tensors.get(`step.${step}.latents`)!.values;
      expect(largestDifference(latents, expected), `latents of step ${step}`).toBeLessThan(TOLERANCE);
    }
    const expected = await sharp(golden('runs/edit/pipeline-0.png')).removeAlpha().raw().toBuffer();
    expect(largestDifference(image.raster.data, expected)).toBeLessThanOrEqual(1);
  } finally {
    await editor.close();
  }
});

function largestDifference(actual: ArrayLike<number>, expected: ArrayLike<number | bigint>): number {
  expect(actual.length).toBe(expected.length);
  let largest = 0;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs(Number(actual[index]) - Number(expected[index]));
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
