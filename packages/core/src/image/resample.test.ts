import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goldenJson, goldenPicture, goldenTensors } from '../../../../test/golden-vectors.js';
import { AbortedError, InvalidArgumentError } from '../errors/index.js';
import { type ResampleMethod, resample, resampleSync } from './resample.js';

const METHODS: Readonly<Record<string, ResampleMethod>> = {
  'pillow-lanczos': 'pillow-lanczos',
  'pillow-bicubic': 'pillow-bicubic',
  'pillow-bilinear': 'pillow-bilinear',
  'torchvision-bicubic-antialias-uint8': 'torch-bicubic',
  'torchvision-bilinear-antialias-uint8': 'torch-bilinear',
};

const tensors = goldenTensors('vectors/resize.safetensors');
const cases = [...tensors].flatMap(([name, { shape, values }]) => {
  const [from = '', label = ''] = name.split('/');
  const method = METHODS[label];
  return method === undefined ? [] : [{ name, from, method, height: shape[0]!, width: shape[1]!, values }];
});

function source(name: string) {
  const { shape, values } = tensors.get(name)!;
  return { height: shape[0]!, width: shape[1]!, channels: 3, data: values as Uint8Array };
}

const same = (a: Uint8Array, b: ArrayLike<number>) => Buffer.compare(a, Uint8Array.from(b)) === 0;

test.each(cases)('$name is the reference, byte by byte', async ({ from, method, height, width, values }) => {
  const image = source(from);
  expect(same(resampleSync({ image, width, height, method }).data, values)).toBe(true);
  expect(same((await resample({ image, width, height, method })).data, values)).toBe(true);
});

test('every golden resize of 8-bit pixels is compared', () => {
  expect(new Set(cases.map(({ method }) => method)).size).toBe(5);
  // Nine sizes, five methods, less two of torch's at an extreme ratio that torch itself cannot do.
  expect(cases).toHaveLength(43);
});

const pictures = goldenJson<{ input: [number, number]; resized: [number, number] }[]>('vectors/qwen-images.json');

test.each(pictures.map(({ resized }, index) => ({ index, height: resized[0], width: resized[1] })))(
  'picture $index is resized as by the fast (torch) and the slow (Pillow) image processor',
  async ({ index, height, width }) => {
    const image = await goldenPicture(`vectors/qwen-${index}-input.png`);
    for (const [kind, method] of [['fast', 'torch-bicubic'] as const, ['slow', 'pillow-bicubic'] as const]) {
      const expected = await goldenPicture(`vectors/qwen-${index}-${kind}.png`);
      expect(same(resampleSync({ image, width, height, method }).data, expected.data)).toBe(true);
    }
  },
);

test.each([
  { name: 'tiny-a', crop: { left: 0, top: 6, width: 576, height: 436 } },
  { name: 'nano', crop: { left: 0, top: 3, width: 304, height: 202 } },
])('the editor picture of $name is its decoded picture, cropped and resized', async ({ name, crop }) => {
  const decoded = await goldenPicture(`${name}/runs/edit/decoded-0.png`);
  const expected = await goldenPicture(`${name}/runs/edit/editor-0.png`);
  const data = new Uint8Array(crop.width * crop.height * 3);
  for (let y = 0; y < crop.height; y++) {
    const from = ((crop.top + y) * decoded.width + crop.left) * 3;
    data.set(decoded.data.subarray(from, from + crop.width * 3), y * crop.width * 3);
  }
  const { width, height } = expected;
  const resized = resampleSync({ image: { ...crop, channels: 3, data }, width, height, method: 'pillow-lanczos' });
  expect(same(resized.data, expected.data)).toBe(true);
});

const method = fc.constantFrom(...Object.values(METHODS));
const side = fc.integer({ min: 1, max: 40 });

describe('any picture', () => {
  test('of one colour keeps it, at any size and number of channels', () => {
    fc.assert(
      fc.property(
        side,
        side,
        side,
        side,
        fc.integer({ min: 1, max: 5 }),
        method,
        (w, h, width, height, channels, by) => {
          const colour = Uint8Array.from({ length: channels }, (_, i) => (i * 83) % 256);
          const data = Uint8Array.from({ length: w * h * channels }, (_, i) => colour[i % channels]!);
          const resized = resampleSync({ image: { width: w, height: h, channels, data }, width, height, method: by });
          expect(resized).toMatchObject({ width, height, channels });
          expect(resized.data).toHaveLength(width * height * channels);
          // Rounded weights need not add up to exactly 1: torch's are off by up to a level at wide kernels.
          const slack = by.startsWith('torch') ? 1 : 0;
          expect(resized.data.every((value, i) => Math.abs(value - colour[i % channels]!) <= slack)).toBe(true);
        },
      ),
    );
  });

  test('has its channels resized one by one', () => {
    fc.assert(
      fc.property(side, side, side, side, method, fc.infiniteStream(fc.nat(255)), (w, h, width, height, by, levels) => {
        const data = Uint8Array.from([...levels.take(w * h * 3)]);
        const whole = resampleSync({ image: { width: w, height: h, channels: 3, data }, width, height, method: by });
        const green = resampleSync({
          image: { width: w, height: h, channels: 1, data: data.filter((_, i) => i % 3 === 1) },
          width,
          height,
          method: by,
        });
        expect(
          same(
            green.data,
            whole.data.filter((_, i) => i % 3 === 1),
          ),
        ).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('at its own size is copied', () => {
    const data = Uint8Array.of(1, 2, 3, 4, 5, 6);
    const copy = resampleSync({
      image: { width: 2, height: 1, channels: 3, data },
      width: 2,
      height: 1,
      method: 'pillow-lanczos',
    });
    expect(copy.data).toEqual(data);
    expect(copy.data).not.toBe(data);
  });
});

test('sizes that are no whole numbers above 0 are refused', async () => {
  const image = { width: 1, height: 1, channels: 3, data: new Uint8Array(3) };
  for (const width of [0, -1, 1.5, Number.NaN]) {
    await expect(resample({ image, width, height: 1, method: 'pillow-lanczos' })).rejects.toThrow(InvalidArgumentError);
    await expect(resample({ image, width: 1, height: width, method: 'pillow-lanczos' })).rejects.toThrow(
      InvalidArgumentError,
    );
  }
});

const megapixels24 = () => ({ width: 6000, height: 4000, channels: 3, data: new Uint8Array(6000 * 4000 * 3).fill(77) });

test('24 megapixels are resized without holding the event loop for 50 ms', async () => {
  const image = megapixels24();
  const work = resample({ image, width: 608, height: 416, method: 'pillow-lanczos' });
  let running = true;
  const done = work.then(() => {
    running = false;
  });
  let longest = 0;
  let turns = 0;
  while (running) {
    const before = process.cpuUsage();
    const start = performance.now();
    await new Promise((resolve) => setImmediate(resolve));
    const used = process.cpuUsage(before);
    // The clock alone would also count the time that other processes had the core.
    longest = Math.max(longest, Math.min(performance.now() - start, (used.user + used.system) / 1000));
    turns += 1;
  }
  await done;
  expect(turns).toBeGreaterThan(10);
  expect(longest).toBeLessThan(50);
}, 60_000);

test('a signal stops the work at once', async () => {
  const controller = new AbortController();
  const work = resample({
    image: megapixels24(),
    width: 608,
    height: 416,
    method: 'pillow-lanczos',
    signal: controller.signal,
  });
  setTimeout(() => controller.abort(), 5);
  await expect(work).rejects.toThrow(AbortedError);
});
