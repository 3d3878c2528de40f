import { expect, test } from 'vitest';
import { goldenPicture, goldenTensors, maxDifference } from '../../../../test/golden-vectors.js';
import { hostTensor } from '../backend/tensor.js';
import { InvalidArgumentError } from '../errors/index.js';
import { rasterToTensor, tensorToRaster } from './pixel-tensor.js';
import { resample } from './resample.js';
import { closestBin } from './resolution-bins.js';

test.each([
  ['tiny-a', 512],
  ['tiny-b', 512],
  ['nano', 256],
])('the source of %s reaches the autoencoder as in the reference', async (name, baseSize) => {
  const image = await goldenPicture(`${name}/input.png`);
  const bin = closestBin({ width: image.width, height: image.height, baseSize });
  const raster = await resample({ image, ...bin, method: 'pillow-lanczos' });
  const { values, shape } = await rasterToTensor({ raster });
  expect(shape).toEqual([1, 3, bin.height, bin.width]);
  const expected = goldenTensors(`${name}/runs/edit/tensors.safetensors`).get('vae_input[stride=8]')!;
  expect(maxDifference(everyNth(values, bin, 8), expected.values)).toBe(0);
});

function everyNth(values: Float32Array, { width, height }: { width: number; height: number }, n: number): number[] {
  const kept: number[] = [];
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < height; y += n) {
      for (let x = 0; x < width; x += n) kept.push(values[(channel * height + y) * width + x]!);
    }
  }
  return kept;
}

test.each(['tiny-a', 'nano'])('decoded values of %s become the pixels of the reference', async (name) => {
  const tensors = goldenTensors(`${name}/runs/edit/tensors.safetensors`);
  const expected = await goldenPicture(`${name}/runs/edit/decoded-0.png`);
  for (const [key, stride] of [['decoded[stride=4]', 4] as const, ['decoded_corner', 1] as const]) {
    const { shape, values } = tensors.get(key)!;
    const { width, height, data } = await tensorToRaster({
      image: hostTensor('float32', shape, values as Float32Array),
    });
    let different = 0;
    for (let y = 0; y < height; y++) {
      for (let i = 0; i < width * 3; i++) {
        const x = Math.floor(i / 3);
        const pixel = (y * stride * expected.width + x * stride) * 3 + (i % 3);
        if (data[y * width * 3 + i] !== expected.data[pixel]) different += 1;
      }
    }
    expect(different).toBe(0);
  }
});

test('every level survives the way there and back', async () => {
  const data = Uint8Array.from({ length: 256 * 4 }, (_, i) => (i % 4 === 3 ? 9 : i >> 2));
  const image = await rasterToTensor({ raster: { width: 16, height: 16, channels: 4, data } });
  expect([image.values[0], image.values[255]]).toEqual([-1, 1]);
  const back = await tensorToRaster({ image });
  expect(back).toMatchObject({ width: 16, height: 16, channels: 3 });
  expect(back.data).toEqual(data.filter((_, i) => i % 4 !== 3));
});

test('values outside the range are clamped, halves go to even, no number is black', async () => {
  const half = (level: number) => (level + 0.5) / 127.5 - 1;
  const values = Float32Array.of(-7, 9, Number.NaN, Number.POSITIVE_INFINITY, 0, half(0));
  const image = hostTensor('float32', [2, 3, 1, 1], values);
  expect((await tensorToRaster({ image })).data).toEqual(Uint8Array.of(0, 255, 0));
  // 0 is level 127.5.
  expect((await tensorToRaster({ image, index: 1 })).data).toEqual(Uint8Array.of(255, 128, 0));
});

test('other shapes and pictures that are not there are refused', async () => {
  const image = hostTensor('float32', [1, 3, 1, 1], new Float32Array(3));
  await expect(tensorToRaster({ image, index: 1 })).rejects.toThrow(InvalidArgumentError);
  await expect(tensorToRaster({ image, index: -1 })).rejects.toThrow(InvalidArgumentError);
  const flat = hostTensor('float32', [3, 1, 1], new Float32Array(3));
  await expect(tensorToRaster({ image: flat })).rejects.toThrow(InvalidArgumentError);
});
