import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import sharp from 'sharp';
import {
  AbortedError,
  type Backend,
  cpu,
  createEditor,
  createProcessBackend,
  type Editor,
  HostCrashedError,
  type ProgressEvent,
} from 'vibe-edit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { longestTurn } from '../longest-turn.js';

const PHOTO = fileURLToPath(new URL('../../examples/photos/chelsea.jpg', import.meta.url));
const TEN_MINUTES = 600_000;

let backend: Backend & { readonly pid: number | undefined };
let editor: Editor;

beforeAll(async () => {
  backend = createProcessBackend(cpu({ threads: 1 }));
  editor = await createEditor({ backend });
});

afterAll(async () => {
  await editor.close();
  await backend.close();
});

interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly data: Uint8Array;
}

async function photo(): Promise<Pixels> {
  const { data, info } = await sharp(PHOTO).raw().toBuffer({ resolveWithObject: true });
  return { ...info, data };
}

function mean({ data, channels }: Pixels, channel: number): number {
  let total = 0;
  for (let at = channel; at < data.length; at += channels) total += data[at] as number;
  return (total * channels) / data.length;
}

/** Correlation of two lists of numbers. */
function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const average = (list: ArrayLike<number>) => Array.from(list).reduce((sum, value) => sum + value, 0) / list.length;
  const [meanA, meanB] = [average(a), average(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let at = 0; at < a.length; at++) {
    const [x, y] = [(a[at] as number) - meanA, (b[at] as number) - meanB];
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return ab / Math.sqrt(aa * bb);
}

test('instructions do what they say to a real photo, at its full resolution', async () => {
  const before = await photo();
  const { images, width, height, warnings } = await editor.edit({
    image: PHOTO,
    instruction: ['make it warmer', 'make it cooler', 'make it darker', 'turn it into black and white'],
  });
  expect([width, height, warnings]).toEqual([before.width, before.height, []]);
  const [warm, cool, dark, grey] = images.map(({ raster }) => raster) as [Pixels, Pixels, Pixels, Pixels];
  const warmth = (pixels: Pixels) => mean(pixels, 0) - mean(pixels, 2);
  expect(warmth(warm) - warmth(before)).toBeGreaterThan(15);
  expect(warmth(cool) - warmth(before)).toBeLessThan(-15);
  expect(mean(dark, 1) - mean(before, 1)).toBeLessThan(-15);
  expect(grey.data.findIndex((value, at) => value !== grey.data[at - (at % grey.channels)])).toBe(-1);
  // Detail is the source's: what a soft decoded picture would lose.
  const detail = ({ data, channels }: Pixels) =>
    Float32Array.from(
      { length: data.length - channels },
      (_, at) => (data[at] as number) - (data[at + channels] as number),
    );
  expect(correlation(detail(before), detail(warm))).toBeGreaterThan(0.98);
});

test('every kind of input is the same picture', async () => {
  const bytes = await readFile(PHOTO);
  const request = { instruction: 'make it warmer', numInferenceSteps: 1 };
  const [first, ...others] = await Promise.all(
    [
      PHOTO,
      pathToFileURL(PHOTO),
      bytes,
      new Uint8Array(bytes),
      new Blob([bytes]),
      new Blob([bytes]).stream(),
      sharp(PHOTO),
    ].map(async (image) => (await editor.edit({ ...request, image })).image.raster.data),
  );
  for (const other of others) expect(Buffer.compare(other, first as Uint8Array)).toBe(0);
});

test.each([
  'remove the car',
  // What the language model makes of these lies beyond `null_distance`: it is their wording that tells.
  'add snow falling from above',
  'make it an anime drawing',
  "retourne l'image de gauche à droite",
])(
  'an instruction that the model does not know leaves every pixel as it was, and the result says so: %s',
  async (instruction) => {
    const { image, warnings } = await editor.edit({ image: PHOTO, instruction });
    expect(warnings.map(({ code }) => code)).toEqual(['not-understood', 'unchanged']);
    expect(Buffer.compare(image.raster.data, (await photo()).data)).toBe(0);
  },
);

test('previews come close to the picture that is being made', async () => {
  const previews: NonNullable<ProgressEvent['preview']>[] = [];
  const { image } = await editor.edit({
    image: PHOTO,
    instruction: 'turn it into a negative',
    previews: true,
    preserve: 'off',
    onProgress: ({ preview }) => preview && previews.push(preview),
  });
  const last = previews.at(-1) as Pixels;
  const { width, height } = last;
  const small = await (await image.toSharp())
    .resize(width, height, { fit: 'fill', kernel: 'mitchell' })
    .raw()
    .toBuffer();
  expect(correlation(last.data, small)).toBeGreaterThan(0.9);
});

test('text-to-image paints its small world at the size asked for, and says what it does not know', async () => {
  const size = { width: 200, height: 120 };
  const { images, width, height, warnings } = await editor.generate({
    instruction: 'a red sky over a green field',
    size,
  });
  expect([width, height, warnings]).toEqual([200, 120, []]);
  const [{ data, channels }] = images.map(({ raster }) => raster) as [Pixels];
  const half = data.length / 2;
  const [sky, field] = [data.subarray(0, half), data.subarray(half)].map((part) =>
    [0, 1, 2].map((channel) => mean({ ...size, channels, data: part }, channel)),
  ) as [number[], number[]];
  expect((sky[0] as number) - (sky[1] as number)).toBeGreaterThan(80);
  expect((field[1] as number) - (field[0] as number)).toBeGreaterThan(50);
  const unknown = await editor.generate({ instruction: 'two cats playing chess', size });
  expect(unknown.warnings).toMatchObject([{ code: 'not-understood' }]);
});

test('an abort stops the work within one step, and the editor goes on', async () => {
  const controller = new AbortController();
  const steps: number[] = [];
  const edit = editor.edit({
    image: PHOTO,
    instruction: 'make it warmer',
    numInferenceSteps: 50,
    signal: controller.signal,
    onProgress: ({ stage, step }) => {
      if (stage !== 'denoise') return;
      steps.push(step);
      if (step === 3) controller.abort();
    },
  });
  await expect(edit).rejects.toBeInstanceOf(AbortedError);
  expect(steps).toEqual([0, 1, 2, 3]);
  expect(
    (await editor.edit({ image: PHOTO, instruction: 'make it warmer', numInferenceSteps: 1 })).images,
  ).toHaveLength(1);
});

test('the death of the process that runs the model costs one edit', async () => {
  const edit = editor.edit({
    image: PHOTO,
    instruction: 'make it warmer',
    numInferenceSteps: 50,
    onProgress: ({ stage, step }) => {
      if (stage === 'denoise' && step === 2) process.kill(backend.pid as number, 'SIGKILL');
    },
  });
  await expect(edit).rejects.toBeInstanceOf(HostCrashedError);
  expect(
    (await editor.edit({ image: PHOTO, instruction: 'make it warmer', numInferenceSteps: 1 })).images,
  ).toHaveLength(1);
});

test('a photo of 24 megapixels is edited without holding up the event loop', { timeout: TEN_MINUTES }, async () => {
  const large = await sharp(PHOTO).resize(6000, 4000, { fit: 'fill' }).jpeg().toBuffer();
  const { value, milliseconds } = await longestTurn(() =>
    editor.edit({ image: large, instruction: 'make it warmer', preserve: 'auto' }),
  );
  expect([value.width, value.height]).toEqual([6000, 4000]);
  expect(milliseconds).toBeLessThan(50);
});
