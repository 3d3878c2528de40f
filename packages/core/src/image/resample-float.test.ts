import fc from 'fast-check';
import { expect, test } from 'vitest';
import { goldenTensors, maxDifference } from '../../../../test/golden-vectors.js';
import { hostTensor } from '../backend/tensor.js';
import { AbortedError, InvalidArgumentError } from '../errors/index.js';
import { resizeAndCrop, resizeBilinear } from './resample-float.js';

const FUNCTIONS = { 'torch-bilinear-float': resizeBilinear, resize_and_crop_tensor: resizeAndCrop };

const tensors = goldenTensors('vectors/resize.safetensors');
const cases = [...tensors].flatMap(([name, { shape, values }]) => {
  const [from = '', label = ''] = name.split('/');
  const resize = Object.entries(FUNCTIONS).find(([key]) => key === label)?.[1];
  return resize === undefined ? [] : [{ name, from, resize, height: shape[1]!, width: shape[2]!, values }];
});

/** The source picture as [1, 3, height, width]: value / 127.5 - 1. */
function source(name: string) {
  const { shape, values } = tensors.get(name)!;
  const [height = 0, width = 0] = shape;
  const planes = new Float32Array(values.length);
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < 3; c++) planes[c * height * width + i] = Math.fround(values[i * 3 + c]! / 127.5) - 1;
  }
  return hostTensor('float32', [1, 3, height, width], planes);
}

test.each(cases)('$name is the reference, bit by bit', async ({ from, resize, height, width, values }) => {
  const resized = await resize({ image: source(from), width, height });
  expect(resized.shape).toEqual([1, 3, height, width]);
  expect(maxDifference(resized.values, values)).toBe(0);
});

test('every golden resize of floats is compared', () => {
  expect(cases).toHaveLength(18);
});

test('where rounding leaves the reference a pixel short, the picture is whole', async () => {
  // 416 * (480 / 416) is 479.99... in floating point: the reference cuts such a picture down to one row.
  const image = hostTensor(
    'float32',
    [1, 1, 416, 576],
    Float32Array.from({ length: 416 * 576 }, (_, i) => i % 7),
  );
  const resized = await resizeAndCrop({ image, width: 640, height: 480 });
  expect(resized.shape).toEqual([1, 1, 480, 640]);
  expect(resized.values.every((value) => value >= 0 && value <= 6)).toBe(true);
});

test('a tensor of the size wanted stays as it is', async () => {
  const image = source('source-0');
  expect(await resizeAndCrop({ image, width: 37, height: 29 })).toBe(image);
});

test('planes are resized one by one, at any size', async () => {
  const size = fc.integer({ min: 1, max: 24 });
  await fc.assert(
    fc.asyncProperty(size, size, size, size, async (w, h, width, height) => {
      const planes = Float32Array.from({ length: 2 * 2 * w * h }, (_, i) => Math.sin(i));
      const whole = await resizeAndCrop({ image: hostTensor('float32', [2, 2, h, w], planes), width, height });
      expect(whole.shape).toEqual([2, 2, height, width]);
      const last = hostTensor('float32', [1, 1, h, w], planes.slice(3 * w * h));
      const single = await resizeAndCrop({ image: last, width, height });
      expect(single.values).toEqual(whole.values.slice(3 * width * height));
    }),
  );
});

test('other shapes, sizes and aborted work are refused', async () => {
  const flat = hostTensor('float32', [4], new Float32Array(4));
  await expect(resizeBilinear({ image: flat, width: 1, height: 1 })).rejects.toThrow(InvalidArgumentError);
  await expect(resizeAndCrop({ image: flat, width: 1, height: 1 })).rejects.toThrow(InvalidArgumentError);
  const image = source('source-0');
  await expect(resizeBilinear({ image, width: 0, height: 1 })).rejects.toThrow(InvalidArgumentError);
  await expect(resizeAndCrop({ image, width: 5, height: 2.5 })).rejects.toThrow(InvalidArgumentError);
  const signal = AbortSignal.abort();
  await expect(resizeBilinear({ image, width: 5, height: 5, signal })).rejects.toThrow(AbortedError);
});
