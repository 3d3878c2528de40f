import { expect, test } from 'vitest';
import { goldenJson, goldenPicture, goldenTensors } from '../../../../test/golden-vectors.js';
import type { ImageProcessorConfig } from '../checkpoint/configs.js';
import { InvalidCheckpointError, InvalidImageError } from '../errors/index.js';
import { prepareVisionInput } from './qwen-image-processor.js';

const config: ImageProcessorConfig = {
  patch_size: 16,
  merge_size: 2,
  temporal_patch_size: 2,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  rescale_factor: 1 / 255,
};

const same = (a: Uint8Array, b: ArrayLike<number>) => Buffer.compare(a, Uint8Array.from(b)) === 0;

test.each([
  ['tiny-a', goldenJson<ImageProcessorConfig>('tiny-a/checkpoint/tokenizer/preprocessor_config.json')],
  ['tiny-b', goldenJson<ImageProcessorConfig>('tiny-b/checkpoint/tokenizer/preprocessor_config.json')],
  ['nano', { ...config, patch_size: 32 }],
])('the patches of %s are those of the reference', async (name, processor) => {
  const image = await goldenPicture(`${name}/input.png`);
  const { pixelCodes, grid } = await prepareVisionInput({ image, config: processor });
  const tensors = goldenTensors(`${name}/runs/edit/tensors.safetensors`);
  const expected = tensors.get('pixel_codes')!;
  expect(grid).toEqual(Array.from(tensors.get('image_grid_thw')!.values.subarray(0, 3)));
  expect(pixelCodes.shape).toEqual(expected.shape);
  expect(same(pixelCodes.values, expected.values)).toBe(true);
});

const pictures = goldenJson<{ resized: [number, number] }[]>('vectors/qwen-images.json');

test.each(pictures.map(({ resized }, index) => ({ index, height: resized[0], width: resized[1] })))(
  'the patches of picture $index hold every pixel of the resized picture in its place',
  async ({ index, height, width }) => {
    const image = await goldenPicture(`vectors/qwen-${index}-input.png`);
    const expected = await goldenPicture(`vectors/qwen-${index}-fast.png`);
    const { pixelCodes, grid } = await prepareVisionInput({ image, config });
    const [, rows, columns] = grid;
    expect([rows * 16, columns * 16]).toEqual([height, width]);
    const pixels = new Uint8Array(width * height * 3);
    for (const [i, code] of pixelCodes.values.entries()) {
      const [x, y, channel] = [i % 16, (i >> 4) % 16, (i >> 8) % 3];
      const patch = Math.floor(i / (16 * 16 * 3));
      const block = patch >> 2;
      const row = Math.floor(block / (columns / 2)) * 2 + ((patch >> 1) & 1);
      const column = (block % (columns / 2)) * 2 + (patch & 1);
      pixels[((row * 16 + y) * width + column * 16 + x) * 3 + channel] = code;
    }
    expect(same(pixels, expected.data)).toBe(true);
  },
);

test('alpha is left out', async () => {
  const rgb = await goldenPicture('tiny-a/input.png');
  const data = new Uint8Array(rgb.width * rgb.height * 4);
  for (let i = 0; i < rgb.width * rgb.height; i++) data.set([...rgb.data.subarray(i * 3, i * 3 + 3), i % 256], i * 4);
  const opaque = await prepareVisionInput({ image: rgb, config });
  const transparent = await prepareVisionInput({ image: { ...rgb, channels: 4, data }, config });
  expect(same(transparent.pixelCodes.values, opaque.pixelCodes.values)).toBe(true);
});

test('limits on the area can be changed', async () => {
  const image = await goldenPicture('tiny-a/input.png');
  const { grid } = await prepareVisionInput({ image, config, minPixels: 1, maxPixels: 64 * 64 });
  expect(grid).toEqual([1, 2, 4]);
});

test('pictures too long and pixel values of another kind are refused', async () => {
  const line = { width: 201, height: 1, channels: 3 as const, data: new Uint8Array(603) };
  await expect(prepareVisionInput({ image: line, config })).rejects.toThrow(InvalidImageError);
  const image = { width: 1, height: 1, channels: 3 as const, data: new Uint8Array(3) };
  for (const change of [{ image_mean: [0.48, 0.46, 0.41] }, { image_std: [0.5] }, { rescale_factor: 1 }]) {
    await expect(prepareVisionInput({ image, config: { ...config, ...change } })).rejects.toThrow(
      InvalidCheckpointError,
    );
  }
});
