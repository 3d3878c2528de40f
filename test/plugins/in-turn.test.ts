import { fileURLToPath } from 'node:url';
import { createEditor, type Editor, type EditRequest, inTurn, type Plugin, preserve } from 'vibe-edit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type OperationName, operate } from './exact-operations.js';
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

test.each([
  ['one operation', 'make it a lot warmer'],
  ['a recolouring', 'make the red things blue'],
  ['none that it knows', 'add a dog'],
])('%s is one edit, the same as without the plugin', async (_, instruction) => {
  encoded = 0;
  const { raster } = (await withTurns.edit({ image: file('chelsea'), instruction })).image;
  expect(encoded).toBe(1);
  const plain = (await atOnce.edit({ image: file('chelsea'), instruction })).image.raster;
  expect(Buffer.compare(raster.data, plain.data)).toBe(0);
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
