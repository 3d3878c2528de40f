import { fileURLToPath } from 'node:url';
import { hostTensor } from '@vibe-edit/core/runtime';
import { createEditor, type Editor, type EditRequest, inTurn, type Plugin, preserve } from 'vibe-edit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type FloatPicture, type OperationName, operate } from './exact-operations.js';
import { floats, type PhotoName, photo, psnr } from './pictures.js';

/** The embedded checkpoint with the plugin, and without it. */
let withTurns: Editor;
let atOnce: Editor;
/** How many pictures were encoded by an edit with it. */
let encoded = 0;

const counting: Plugin = { name: 'counting', hooks: { beforeEncode: () => void encoded++ } };

beforeAll(async () => {
  withTurns = await createEditor({ plugins: [preserve(), inTurn(), counting] });
  atOnce = await createEditor({ plugins: [preserve()] });
});

afterAll(async () => {
  await withTurns.close();
  await atOnce.close();
});

const file = (name: PhotoName): string => fileURLToPath(new URL(`../../examples/photos/${name}.jpg`, import.meta.url));

describe('two operations in one instruction', () => {
  test.each<[string, PhotoName, OperationName, OperationName]>([
    ['invert it, then make it warmer', 'chelsea', 'invert', 'warm'],
    ['brighten it and add more contrast', 'coffee', 'brighten', 'contrast up'],
    ['Schwarzweiß mit Vignette', 'astronaut', 'grayscale', 'vignette'],
  ])('"%s" comes closer to the exact result than at once', async (instruction, name, first, second) => {
    const exact = operate(operate(floats(await photo(name)), first), second);
    encoded = 0;
    const inTurns = await withTurns.edit({ image: file(name), instruction });
    expect(encoded).toBe(2);
    expect(inTurns.warnings).toEqual([]);
    const together = await atOnce.edit({ image: file(name), instruction });
    const [near, far] = [inTurns, together].map(({ image }) => psnr(exact, floats(image.raster)));
    expect(near).toBeGreaterThan(30);
    expect(near).toBeGreaterThan(far! + 2);
  });

  test('are taken apart for their own pictures alone', async () => {
    encoded = 0;
    const instruction = ['make it warmer', 'invert it, then make it warmer', 'add a dog'];
    const { images, warnings } = await withTurns.edit({ image: file('coffee'), instruction, numImages: 2 });
    expect(encoded).toBe(1 + 2);
    expect(images).toHaveLength(6);
    expect(warnings.map(({ code }) => code)).toEqual(['not-understood', 'unchanged', 'unchanged']);
    const alone = await atOnce.edit({ image: file('coffee'), instruction: 'make it warmer' });
    expect(psnr(floats(images[0]!.raster), floats(alone.image.raster))).toBeGreaterThan(40);
  });
});

test('none that it knows is one edit, the same as without the plugin', async () => {
  for (const name of ['chelsea', 'coffee'] as const) {
    encoded = 0;
    const { raster } = (await withTurns.edit({ image: file(name), instruction: 'add a dog' })).image;
    expect(encoded).toBe(1);
    const plain = (await atOnce.edit({ image: file(name), instruction: 'add a dog' })).image.raster;
    expect(Buffer.compare(raster.data, plain.data)).toBe(0);
  }
});

test.each([
  ['one operation', 'make it a lot warmer', 38],
  ['a recolouring', 'make the red things blue', 38],
])('%s is one edit, nearly the same as without the plugin', async (_, instruction, least) => {
  encoded = 0;
  const { raster } = (await withTurns.edit({ image: file('coffee'), instruction })).image;
  expect(encoded).toBe(1);
  const plain = (await atOnce.edit({ image: file('coffee'), instruction })).image.raster;
  expect(psnr(floats(raster), floats(plain))).toBeGreaterThan(least);
});

/** Says of the first instruction a share of what it says of the second. */
const undecided = (share: number): Plugin => ({
  name: 'undecided',
  hooks: {
    afterCondition: ({ promptEmbeds: { shape, values }, nullEmbeds }) => {
      const size = values.length / 2;
      const between = values.map((value, i) => (i < size ? value + share * (values[size + i]! - value) : value));
      return { nullEmbeds, promptEmbeds: hostTensor('float32', shape, between) };
    },
  },
});

/** The first of two instructions, of which the model says that share of the second. */
async function editUndecided(
  plugins: readonly Plugin[],
  share: number,
  image: string,
  instruction: [string, string],
): Promise<FloatPicture> {
  const editor = await createEditor({ plugins: [undecided(share), ...plugins] });
  try {
    return floats((await editor.edit({ image, instruction })).images[0]!.raster);
  } finally {
    await editor.close();
  }
}

test('one operation with some of another is that operation', async () => {
  const image = file('chelsea');
  const words: [string, string] = ['make it warmer', 'turn it into a pencil sketch'];
  const clear = floats((await withTurns.edit({ image, instruction: words[0] })).image.raster);
  const mended = psnr(await editUndecided([preserve(), inTurn()], 0.3, image, words), clear);
  const asSaid = psnr(await editUndecided([preserve()], 0.3, image, words), clear);
  expect(mended).toBeGreaterThan(40);
  expect(mended).toBeGreaterThan(asSaid + 5);
});

test('between two strengths is one between them', async () => {
  const image = file('coffee');
  const words: [string, string] = ['make it a bit darker', 'make it a lot darker'];
  const source = floats(await photo('coffee'));
  const changes: number[] = [];
  for (const share of [0, 0.5, 1]) {
    changes.push(-psnr(await editUndecided([preserve(), inTurn()], share, image, words), source));
  }
  expect(changes[1]).toBeGreaterThan(changes[0]! + 1);
  expect(changes[2]).toBeGreaterThan(changes[1]! + 1);
});

describe('a recolouring that the model says half of', () => {
  test.each([
    ['two recolourings', 'make the red things blue', 'make the orange things green'],
    ['a recolouring and an operation', 'make the red things green', 'darken it'],
  ])('is the nearer: %s', async (_, instruction, other) => {
    const image = file('coffee');
    const clear = floats((await withTurns.edit({ image, instruction })).image.raster);
    const words: [string, string] = [instruction, other];
    const nearer = psnr(await editUndecided([preserve(), inTurn()], 0.4, image, words), clear);
    const between = psnr(await editUndecided([preserve()], 0.4, image, words), clear);
    expect(nearer).toBeGreaterThan(38);
    expect(nearer).toBeGreaterThan(between + 5);
  });
});

test.each<[string, Partial<EditRequest>]>([
  ['geometry reference', { geometry: 'reference' }],
  ['geometry pipeline', { geometry: 'pipeline' }],
  ['nothing preserved', { preserve: 'off' }],
])('%s is one edit, as the authors have it', async (_, options) => {
  encoded = 0;
  await withTurns.edit({ image: file('chelsea'), instruction: 'invert it, then make it warmer', ...options });
  expect(encoded).toBe(1);
});

test('a picture from text is never taken apart', async () => {
  encoded = 0;
  await withTurns.generate({ instruction: 'a green meadow under a blue sky' });
  expect(encoded).toBe(0);
});
