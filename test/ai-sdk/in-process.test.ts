import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createVibe } from '@vibe-edit/ai-sdk';
import { BackendError, createEditor, type Editor, type EditorOptions, openCheckpoint } from '@vibe-edit/core';
import { createFakeBackend, type FakeCall } from '@vibe-edit/core/testing';
import {
  APICallError,
  createProviderRegistry,
  generateImage,
  InvalidArgumentError,
  InvalidPromptError,
  NoSuchModelError,
  UnsupportedFunctionalityError,
} from 'ai';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { gate, picture } from '../webhook/webhook-fixture.js';
import { halfMask, halfOf } from './half-mask.js';

globalThis.AI_SDK_LOG_WARNINGS = false;

const checkpoint = await openCheckpoint(
  fileURLToPath(new URL('../fixtures/golden/tiny-a/checkpoint', import.meta.url)),
);
const steps = { vibe: { numInferenceSteps: 2 } };

async function openEditor(
  options: Partial<EditorOptions> & { before?: (call: FakeCall) => void | Promise<void> } = {},
): Promise<Editor> {
  const { before, ...rest } = options;
  const backend = createFakeBackend(before === undefined ? {} : { before });
  const editor = await createEditor({ checkpoint, backend, ...rest });
  onTestFinished(() => editor.close());
  return editor;
}

const files = (images: readonly { uint8Array: Uint8Array }[]) =>
  images.map(({ uint8Array }) => Buffer.from(uint8Array));

test('an edit is the edit of the editor', async () => {
  const editor = await openEditor();
  const image = await picture();
  const result = await generateImage({
    model: createVibe({ editor }).image(),
    prompt: { images: [image], text: 'make it warmer' },
    seed: 7,
    n: 2,
    providerOptions: {
      vibe: { numInferenceSteps: 2, guidanceScale: 2, imageGuidanceScale: 1.5, geometry: 'reference' },
    },
  });
  const same = await editor.edit({
    image,
    instruction: 'make it warmer',
    seed: 7,
    numImages: 2,
    numInferenceSteps: 2,
    guidanceScale: 2,
    imageGuidanceScale: 1.5,
    geometry: 'reference',
  });
  const expected = await Promise.all(same.images.map(async (made) => Buffer.from(await made.toBuffer())));
  expect(files(result.images)).toEqual(expected);
  expect(result.image.mediaType).toBe('image/png');
  const { width, height } = same;
  expect(result.providerMetadata.vibe).toEqual({ images: Array(2).fill({ seed: 7, width, height }) });
  expect(result.responses).toMatchObject([{ modelId: 'default', headers: undefined }]);
});

test('a picture as a data URL or base64 is the picture', async () => {
  const model = createVibe({ editor: await openEditor() }).image();
  const bytes = await picture();
  const base64 = bytes.toString('base64');
  const made = [];
  for (const image of [bytes, base64, `data:image/png;base64,${base64}`]) {
    made.push(await generateImage({ model, prompt: { images: [image], text: 'a' }, seed: 1, providerOptions: steps }));
  }
  const [first, ...others] = made.map(({ image }) => image.base64);
  expect(others).toEqual([first, first]);
});

test('where the mask is opaque every pixel stays', async () => {
  const source = await picture({ width: 64, height: 64 });
  const mask = await halfMask();
  const { image } = await generateImage({
    model: createVibe({ editor: await openEditor() }).image(),
    prompt: { images: [source], text: 'a', mask },
    providerOptions: steps,
  });
  expect(await halfOf(image.uint8Array, 32)).toEqual(await halfOf(source, 32));
  expect(await halfOf(image.uint8Array, 0)).not.toEqual(await halfOf(source, 0));
});

test('a text alone makes a picture of the size', async () => {
  const { image, warnings } = await generateImage({
    model: createVibe({ editor: await openEditor() }).image(),
    prompt: 'a boat',
    size: '96x64',
    providerOptions: { vibe: { numInferenceSteps: 2, outputFormat: 'jpeg', outputQuality: 60 } },
  });
  expect(image.mediaType).toBe('image/jpeg');
  expect(await sharp(image.uint8Array).metadata()).toMatchObject({ format: 'jpeg', width: 96, height: 64 });
  expect(warnings).toEqual([]);
});

test('any number of pictures, each another; parts of ten have seeds of their own', async () => {
  const editor = await openEditor();
  const { images, providerMetadata } = await generateImage({
    model: createVibe({ editor }).image(),
    prompt: 'a boat',
    size: '64x64',
    n: 12,
    seed: 5,
    providerOptions: { vibe: { numInferenceSteps: 1 } },
  });
  expect(new Set(images.map(({ base64 }) => base64)).size).toBe(12);
  const common = { instruction: 'a boat', size: { width: 64, height: 64 }, numInferenceSteps: 1 };
  const parts = [
    await editor.generate({ ...common, seed: 5, numImages: 10 }),
    await editor.generate({ ...common, seed: 15, numImages: 2 }),
  ];
  const expected = await Promise.all(parts.flatMap((part) => part.images.map((image) => image.toBuffer())));
  expect(files(images)).toEqual(expected.map((bytes) => Buffer.from(bytes)));
  expect(providerMetadata.vibe?.images).toMatchObject([...Array(10).fill({ seed: 5 }), { seed: 15 }, { seed: 15 }]);
});

test('seeds beyond the largest begin again at 0', async () => {
  const { providerMetadata } = await generateImage({
    model: createVibe({ editor: await openEditor() }).image(),
    prompt: 'a boat',
    size: '64x64',
    n: 11,
    seed: Number.MAX_SAFE_INTEGER,
    providerOptions: { vibe: { numInferenceSteps: 1 } },
  });
  expect(providerMetadata.vibe?.images.at(-1)).toMatchObject({ seed: 9 });
});

test('without a seed each call draws one, and the seed it tells gives the same picture', async () => {
  const model = createVibe({ editor: await openEditor() }).image();
  const call = { model, prompt: 'a boat', size: '64x64', providerOptions: steps } as const;
  const [one, two] = [await generateImage(call), await generateImage(call)];
  expect(one.image.base64).not.toBe(two.image.base64);
  const told = one.providerMetadata.vibe?.images[0] as { seed: number } | undefined;
  const again = await generateImage({ ...call, seed: told?.seed ?? -1 });
  expect(again.image.base64).toBe(one.image.base64);
});

test('what cannot be honoured is a warning', async () => {
  const model = createVibe({ editor: await openEditor() }).image();
  const made = await generateImage({
    model,
    prompt: 'a boat',
    size: '64x64',
    aspectRatio: '16:9',
    providerOptions: { vibe: { numInferenceSteps: 1, imageGuidanceScale: 2, preserve: 'off' } },
  });
  expect(made.warnings).toEqual([
    { type: 'unsupported', feature: 'aspectRatio', details: expect.stringContaining('size') },
    { type: 'unsupported', feature: 'providerOptions.vibe.imageGuidanceScale', details: expect.any(String) },
    { type: 'unsupported', feature: 'providerOptions.vibe.preserve', details: expect.any(String) },
  ]);
  const images = [await picture({ width: 64, height: 32 })];
  const edited = await generateImage({ model, prompt: { images, text: 'a' }, size: '32x32', providerOptions: steps });
  expect(edited.warnings).toEqual([
    { type: 'compatibility', feature: 'size', details: 'The result fits inside 32x32: it is 32x16' },
  ]);
});

const png = await picture();
const bad: [name: string, call: object, kind: { isInstance(error: unknown): boolean }, says: RegExp][] = [
  ['two pictures', { prompt: { images: [png, png], text: 'a' } }, UnsupportedFunctionalityError, /one picture.*2/],
  ['a mask alone', { prompt: { images: [], text: 'a', mask: png } }, InvalidArgumentError, /picture.*mask/],
  ['no text', { prompt: { images: [png] } }, InvalidPromptError, /Expected a text/],
  ['an empty text', { prompt: '  ' }, InvalidPromptError, /Expected a text/],
  ['no picture', { prompt: { images: [Buffer.from('hello')], text: 'a' } }, InvalidArgumentError, /picture|image/i],
  ['no bytes', { prompt: { images: [new Uint8Array()], text: 'a' } }, InvalidArgumentError, /1 to .* bytes/],
  ['a wrong size', { prompt: 'a', size: '0x64' }, InvalidArgumentError, /size like/],
  ['a huge size', { prompt: 'a', size: '99999x64' }, InvalidArgumentError, /size\.width/],
  ['half a picture', { prompt: 'a', n: 1.5 }, InvalidArgumentError, /whole number.*1\.5/],
  ['a negative seed', { prompt: 'a', seed: -1 }, InvalidArgumentError, /seed.*-1/],
  ['an unknown option', { prompt: 'a', providerOptions: { vibe: { steps: 3 } } }, InvalidArgumentError, /steps/],
  [
    'a wrong option',
    { prompt: 'a', providerOptions: { vibe: { numInferenceSteps: 0 } } },
    InvalidArgumentError,
    /providerOptions\.vibe\.numInferenceSteps/,
  ],
];

test.each(bad)('%s is refused with an error of the AI SDK', async (_, call, kind, says) => {
  const model = createVibe({ editor: await openEditor() }).image();
  const error = await generateImage({ model, ...call } as Parameters<typeof generateImage>[0]).catch(
    (thrown) => thrown,
  );
  expect(kind.isInstance(error)).toBe(true);
  expect(error.message).toMatch(says);
});

test('pictures of an address that is not public are not fetched', async () => {
  let requests = 0;
  const server = createServer((_, response) => {
    requests += 1;
    response.end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const model = createVibe({ editor: await openEditor() }).image();
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]', '0.0.0.0', '[64:ff9b::7f00:1]']) {
    const prompt = { images: [`http://${host}:${port}/photo.png`], text: 'a' };
    await expect(generateImage({ model, prompt })).rejects.toMatchObject({ name: 'AI_DownloadError' });
  }
  expect(requests).toBe(0);
});

test('an abort ends the edit with its reason and leaves the editor usable', async () => {
  const { before, running, open } = gate();
  const editor = await openEditor({ before });
  const model = createVibe({ editor }).image();
  const leaving = new AbortController();
  const call = { model, prompt: 'a boat', size: '64x64', providerOptions: steps } as const;
  const made = generateImage({ ...call, abortSignal: leaving.signal });
  await running;
  leaving.abort();
  open();
  await expect(made).rejects.toMatchObject({ name: 'AbortError' });
  await expect(generateImage({ ...call, abortSignal: leaving.signal })).rejects.toMatchObject({ name: 'AbortError' });
  expect((await generateImage(call)).images).toHaveLength(1);
});

test('a full queue is worth another try, a failing backend is not', async () => {
  const { before, running, open } = gate();
  const editor = await openEditor({ before, maxQueued: 1 });
  const model = createVibe({ editor }).image();
  const call = { model, prompt: 'a boat', size: '64x64', providerOptions: steps, maxRetries: 0 } as const;
  const first = generateImage(call);
  await running;
  const second = generateImage(call);
  const error = await generateImage(call).catch((thrown) => thrown);
  expect(APICallError.isInstance(error)).toBe(true);
  expect(error).toMatchObject({ isRetryable: true, data: { code: 'VIBE_QUEUE_FULL' } });
  open();
  await Promise.all([first, second]);

  const failing = await openEditor({
    before({ kind }) {
      if (kind === 'run') throw new BackendError({ backend: 'fake', message: 'out of memory' });
    },
  });
  let calls = 0;
  const counted: Editor = {
    ...failing,
    generate(request) {
      calls += 1;
      return failing.generate(request);
    },
  };
  const failed = await generateImage({ ...call, model: createVibe({ editor: counted }).image(), maxRetries: 2 }).catch(
    (thrown) => thrown,
  );
  expect(failed).toMatchObject({ isRetryable: false, data: { code: 'VIBE_BACKEND_FAILED' } });
  expect(failed.cause.message).toContain('out of memory');
  expect(calls).toBe(1);
});

test('an editor that the provider opens is opened once, again after a failure, and closed by the provider', async () => {
  const opened: Editor[] = [];
  let failures = 1;
  const vibe = createVibe({
    async editor() {
      if (failures-- > 0) throw new Error('no such checkpoint');
      const editor = await openEditor();
      opened.push(editor);
      return editor;
    },
    modelId: 'tiny',
  });
  const call = { model: vibe.image('tiny'), prompt: 'a boat', size: '64x64', providerOptions: steps } as const;
  await expect(generateImage(call)).rejects.toThrow('no such checkpoint');
  const [one, two] = await Promise.all([generateImage(call), generateImage(call)]);
  expect([one.responses[0]?.modelId, two.images.length, opened.length]).toEqual(['tiny', 1, 1]);
  await vibe.close();
  await expect(opened[0]?.generate({ instruction: 'a boat' })).rejects.toMatchObject({ code: 'VIBE_CLOSED' });
  await generateImage(call);
  expect(opened).toHaveLength(2);
});

test('an abort does not wait for an editor that is being opened', async () => {
  const editor = await openEditor();
  let opened = (_: Editor): void => undefined;
  const vibe = createVibe({
    editor: () =>
      new Promise<Editor>((resolve) => {
        opened = resolve;
      }),
  });
  const call = { model: vibe.image(), prompt: 'a boat', size: '64x64', providerOptions: steps } as const;
  const leaving = new AbortController();
  const left = generateImage({ ...call, abortSignal: leaving.signal });
  const stayed = generateImage({ ...call, abortSignal: new AbortController().signal });
  leaving.abort();
  await expect(left).rejects.toMatchObject({ name: 'AbortError' });
  opened(editor);
  expect((await stayed).images).toHaveLength(1);
});

test('an editor that was given stays open', async () => {
  const editor = await openEditor();
  const vibe = createVibe({ editor });
  await vibe.close();
  expect(
    (await editor.generate({ instruction: 'a', size: { width: 64, height: 64 }, numInferenceSteps: 1 })).seed,
  ).toBe(42);
});

test('it fits in a registry of providers, and has image models only', async () => {
  const vibe = createVibe({ editor: await openEditor() });
  const registry = createProviderRegistry({ vibe });
  const model = registry.imageModel('vibe:default');
  const { images } = await generateImage({ model, prompt: 'a boat', size: '64x64', providerOptions: steps });
  expect(images).toHaveLength(1);
  expect(() => vibe.image('another')).toThrow(NoSuchModelError);
  expect(() => vibe.languageModel('default')).toThrow(NoSuchModelError);
  expect(() => vibe.embeddingModel('default')).toThrow(NoSuchModelError);
});

test.each([
  { editor: undefined },
  { editor: {} },
  {},
  { baseURL: 'localhost' },
  { baseURL: 'file:///v1' },
  { baseURL: 'http://localhost/v1', editor: () => openEditor() },
])('options that do not say where pictures are made are refused: %o', (options) => {
  expect(() => createVibe(options as never)).toThrow(expect.toSatisfy(InvalidArgumentError.isInstance));
});
