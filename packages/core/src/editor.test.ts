import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { hostTensor } from './backend/tensor.js';
import { openCheckpoint } from './checkpoint/open-checkpoint.js';
import { createContainer } from './container.js';
import { createEditor } from './editor.js';
import type { EditorOptions } from './editor-types.js';
import {
  AbortedError,
  BackendError,
  ClosedError,
  InvalidArgumentError,
  InvalidImageError,
  InvalidInstructionError,
  QueueFullError,
} from './errors/index.js';
import type { Raster8 } from './image/raster.js';
import { sharpCodec } from './image/sharp-codec.js';
import type { ProgressEvent } from './pipeline/progress.js';
import type { Plugin, PluginHooks } from './plugin/plugin.js';
import { torchCpuNoise } from './random/torch-cpu-noise.js';
import { createScheduler } from './scheduler/schedulers.js';
import { createFakeBackend, type FakeBackendOptions } from './testing/fake-backend.js';
import { TOKENS } from './tokens.js';

const checkpoint = await openCheckpoint(
  fileURLToPath(new URL('../../../test/fixtures/golden/tiny-a/checkpoint', import.meta.url)),
);
const { transformer, vae } = checkpoint;

/** A colour gradient as PNG. */
async function picture(width = 90, height = 60, alpha = false): Promise<Uint8Array> {
  const channels = alpha ? 4 : 3;
  const data = Uint8Array.from({ length: width * height * channels }, (_, at) =>
    at % channels === 3 ? (at >> 4) % 256 : (at * 7) % 256,
  );
  return await sharpCodec.encode({ width, height, channels, data }, 'png');
}

async function open(options: Partial<EditorOptions> = {}, fake: FakeBackendOptions = {}) {
  const backend = createFakeBackend(fake);
  return { backend, editor: await createEditor({ checkpoint, backend, ...options }) };
}

const steps = { numInferenceSteps: 3 };

test('an edit goes through the stages in order and gives a picture of the source’s size', async () => {
  const { editor, backend } = await open();
  const events: ProgressEvent[] = [];
  const result = await editor.edit({
    image: await picture(),
    instruction: 'x',
    ...steps,
    onProgress: (event) => events.push(event),
  });
  expect([result.width, result.height, result.images.length, result.seed]).toEqual([90, 60, 1, 42]);
  expect(events.map(({ stage, step }) => `${stage} ${step}`)).toEqual([
    'queue 0',
    'prepare 0',
    'condition 0',
    'encode 0',
    'denoise 0',
    'denoise 1',
    'denoise 2',
    'denoise 3',
    'decode 3',
    'restore 3',
  ]);
  expect(events.every((event) => event.steps === 3)).toBe(true);
  expect(Object.values(result.seconds).every((value) => value >= 0)).toBe(true);
  expect(backend.calls.filter(({ kind }) => kind === 'run').map(({ component }) => component)).toEqual([
    'visionEncoder',
    'textEncoder',
    'connector',
    'connector',
    'vaeEncoder',
    'transformerContext',
    ...['transformer', 'transformer', 'transformer'],
    'vaeDecoder',
  ]);
  expect(backend.kept).toBe(0);
  await editor.close();
});

test.each([
  ['three branches by default', {}, 3],
  ['two without image guidance', { imageGuidanceScale: 0.5 }, 2],
  ['two at image guidance 1, where the third has weight 0', { imageGuidanceScale: 1 }, 2],
  ['one without guidance', { guidanceScale: 1 }, 1],
])('%s', async (_, scales, branches) => {
  const { editor, backend } = await open();
  await editor.edit({ image: await picture(), instruction: ['a', 'b'], numImages: 2, numInferenceSteps: 1, ...scales });
  const runs = backend.calls.filter(({ kind, component }) => kind === 'run' && component === 'transformer');
  expect(runs.map(({ shapes }) => shapes.latents?.[0])).toEqual([4 * branches]);
  await editor.close();
});

test('pictures beyond the batch size are denoised in turns, with the same numbers', async () => {
  const image = await picture();
  const results = [];
  for (const batchSize of [8, 2]) {
    const { editor } = await open({ batchSize });
    results.push(
      (await editor.edit({ image, instruction: ['a', 'b'], numImages: 2, ...steps })).images.map(
        ({ raster }) => raster.data,
      ),
    );
    await editor.close();
  }
  expect(results[0]).toHaveLength(4);
  expect(results[0]).toEqual(results[1]);
});

test('the unconditional embedding is computed once for an editor', async () => {
  const { editor, backend } = await open();
  const image = await picture();
  await editor.edit({ image, instruction: 'a', ...steps });
  await editor.edit({ image, instruction: 'b', ...steps });
  expect(backend.calls.filter(({ kind, component }) => kind === 'run' && component === 'connector')).toHaveLength(3);
  await editor.close();
});

test('text-to-image has no source and the size asked for', async () => {
  const { editor, backend } = await open();
  const result = await editor.generate({ instruction: 'a boat', size: { width: 70, height: 50 }, ...steps });
  expect([result.width, result.height]).toEqual([70, 50]);
  const run = new Set(backend.calls.map(({ component }) => component));
  expect([run.has('visionEncoder'), run.has('vaeEncoder')]).toEqual([false, false]);
  await editor.close();
});

test('text-to-image without a size takes the checkpoint’s own', async () => {
  const { editor } = await open();
  const side = transformer.config.sample_size * 2 ** (vae.config.encoder_block_out_channels.length - 1);
  const result = await editor.generate({ instruction: 'a boat', numInferenceSteps: 1, guidanceScale: 1 });
  expect([result.width, result.height]).toEqual([side, side]);
  await editor.close();
});

test('the same seed gives the same picture, another seed another one', async () => {
  const { editor } = await open();
  const image = await picture();
  const pixels = async (seed: number) =>
    (await editor.edit({ image, instruction: 'x', seed, ...steps })).image.raster.data;
  const first = await pixels(7);
  expect(await pixels(7)).toEqual(first);
  expect(await pixels(8)).not.toEqual(first);
  await editor.close();
});

test('alpha is kept, and outside the mask every pixel is the source’s', async () => {
  const { editor } = await open();
  const bytes = await picture(40, 40, true);
  const source = (await sharpCodec.decode(bytes)).raster;
  const half = Uint8Array.from({ length: 40 * 40 * 3 }, (_, at) => (at < 40 * 20 * 3 ? 255 : 0));
  const mask = await sharpCodec.encode({ width: 40, height: 40, channels: 3, data: half }, 'png');
  const { raster } = (await editor.edit({ image: bytes, instruction: 'x', mask, ...steps })).image;
  expect(raster.channels).toBe(4);
  expect(raster.data.subarray(40 * 20 * 4)).toEqual(source.data.subarray(40 * 20 * 4));
  expect(raster.data.subarray(0, 40 * 20 * 4)).not.toEqual(source.data.subarray(0, 40 * 20 * 4));
  const alpha = (data: Uint8Array) => data.filter((_, at) => at % 4 === 3);
  expect(alpha(raster.data)).toEqual(alpha(source.data));
  await editor.close();
});

test('a size keeps the source’s ratio inside the one asked for', async () => {
  const { editor } = await open();
  const result = await editor.edit({
    image: await picture(90, 60),
    instruction: 'x',
    size: { width: 180, height: 180 },
    ...steps,
  });
  expect([result.width, result.height]).toEqual([180, 120]);
  await editor.close();
});

test('a result that is the source carries a warning', async () => {
  const image = await picture();
  const { raster } = await sharpCodec.decode(image);
  const restored: Plugin = { name: 'restored', hooks: { beforeRestore: (state) => ({ ...state, picture: raster }) } };
  const { editor } = await open({ plugins: [restored] });
  const result = await editor.edit({ image, instruction: 'nothing', ...steps });
  expect(result.warnings.map(({ code }) => code)).toEqual(['unchanged']);
  expect(result.warnings[0]?.message).toContain('nothing');
  await editor.close();
  const plain = await open();
  expect((await plain.editor.edit({ image, instruction: 'x', ...steps })).warnings).toEqual([]);
  await plain.editor.close();
});

test('previews are one pixel a latent and differ from step to step', async () => {
  const { editor } = await open();
  const previews: ProgressEvent[] = [];
  await editor.edit({
    image: await picture(),
    instruction: 'x',
    previews: true,
    ...steps,
    onProgress: (event) => event.preview && previews.push(event),
  });
  expect(previews).toHaveLength(3);
  expect([previews[0]?.preview?.width, previews[0]?.preview?.height]).toEqual([19, 13]);
  expect(previews[0]?.preview?.data).not.toEqual(previews[2]?.preview?.data);
  await editor.close();
});

describe('plugins', () => {
  const names: (keyof PluginHooks)[] = [
    'beforePrepare',
    'afterPrepare',
    'beforeCondition',
    'afterCondition',
    'beforeEncode',
    'afterEncode',
    'beforeDenoise',
    'beforeStep',
    'afterStep',
    'afterDenoise',
    'beforeDecode',
    'afterDecode',
    'beforeRestore',
    'afterRestore',
  ];

  test('hooks run round every stage, in the order of the list', async () => {
    const seen: string[] = [];
    const logging = (name: string): Plugin => ({
      name,
      hooks: Object.fromEntries(names.map((hook) => [hook, () => void seen.push(`${name} ${hook}`)])),
    });
    const { editor } = await open({ plugins: [logging('one'), logging('two')] });
    await editor.edit({ image: await picture(), instruction: 'x', numInferenceSteps: 1 });
    expect(seen).toEqual(names.flatMap((hook) => [`one ${hook}`, `two ${hook}`]));
    await editor.close();
  });

  test('what a hook returns is what the next one and the stage get', async () => {
    const texts: string[] = [];
    const rewriting: Plugin = {
      name: 'rewriting',
      hooks: {
        beforePrepare: (input) => ({ ...input, instructions: input.instructions.map((text) => `${text}!`) }),
        afterRestore: (finished) => ({ ...finished, text: { ...finished.text, Comment: 'made' } }),
      },
    };
    const reading: Plugin = {
      name: 'reading',
      hooks: { beforeCondition: (input) => void texts.push(...input.instructions) },
    };
    const { editor } = await open({ plugins: [rewriting, reading] });
    const { image } = await editor.edit({ image: await picture(), instruction: 'x', ...steps });
    expect(texts).toEqual(['x!']);
    expect(Buffer.from(await image.toBuffer('png')).includes('Comment')).toBe(true);
    await editor.close();
  });

  test('stages can be called, and the source and its latents are at hand', async () => {
    const shapes: unknown[] = [];
    const calling: Plugin = {
      name: 'calling',
      hooks: {
        async beforeRestore(state, { stages, source, sourceLatents }) {
          const tensor = await stages.toTensor(source!, { width: 64, height: 64 });
          const latents = await stages.encode(tensor);
          const decoded = await stages.decode(latents);
          const { promptEmbeds } = await stages.condition(['other'], source);
          shapes.push(tensor.shape, latents.shape, decoded.shape, promptEmbeds.shape, sourceLatents?.shape.length);
          return state;
        },
      },
    };
    const { editor } = await open({ plugins: [calling] });
    await editor.edit({ image: await picture(), instruction: 'x', ...steps });
    const { num_meta_queries, caption_channels } = transformer.config;
    expect(shapes).toEqual([
      [1, 3, 64, 64],
      [1, vae.config.latent_channels, 2, 2],
      [1, 3, 64, 64],
      [1, num_meta_queries, caption_channels],
      4,
    ]);
    await editor.close();
  });

  test('an error of a plugin is the edit’s, and the editor goes on', async () => {
    let failing = true;
    const plugin: Plugin = {
      name: 'failing',
      hooks: {
        afterEncode: () => {
          if (failing) throw new Error('refused by the filter');
        },
      },
    };
    const { editor } = await open({ plugins: [plugin] });
    await expect(editor.edit({ image: await picture(), instruction: 'x', ...steps })).rejects.toThrow(
      'refused by the filter',
    );
    failing = false;
    expect((await editor.edit({ image: await picture(), instruction: 'x', ...steps })).images).toHaveLength(1);
    await editor.close();
  });
});

describe('an instruction that a plugin takes apart', () => {
  /** The second of two instructions takes another turn, with the embeddings of the first. */
  const again: Plugin = {
    name: 'again',
    hooks: {
      afterCondition: (conditioning) => {
        const { shape, values } = conditioning.promptEmbeds;
        const [count, ...size] = shape as [number, number, number];
        const next = hostTensor('float32', [1, ...size], values.slice(0, values.length / count));
        return { ...conditioning, turns: new Map([[count - 1, [next]]]) };
      },
    },
  };

  test('is carried out turn by turn, each on the picture of the one before', async () => {
    const sources: Raster8[] = [];
    const finished: number[] = [];
    const watching: Plugin = {
      name: 'watching',
      hooks: {
        beforeRestore: (_, { source }) => void sources.push(source!),
        afterRestore: ({ index }) => void finished.push(index),
      },
    };
    const { editor, backend } = await open({ plugins: [again, watching] });
    const events: ProgressEvent[] = [];
    const image = await picture();
    const { images } = await editor.edit({
      image,
      instruction: ['a', 'b'],
      numImages: 2,
      numInferenceSteps: 1,
      onProgress: (event) => events.push(event),
    });
    expect(events.slice(3).map(({ stage, step, steps: all }) => `${stage} ${step}/${all}`)).toEqual([
      ...['encode 0/3', 'denoise 0/3', 'denoise 1/3'],
      ...['decode 1/3', 'restore 1/3'],
      ...['decode 1/3', 'restore 1/3'],
      ...['decode 1/3', 'restore 1/3', 'encode 1/3', 'denoise 1/3', 'denoise 2/3', 'decode 2/3', 'restore 2/3'],
      ...['decode 2/3', 'restore 2/3', 'encode 2/3', 'denoise 2/3', 'denoise 3/3', 'decode 3/3', 'restore 3/3'],
    ]);
    expect(finished).toEqual([0, 1, 2, 3]);
    const source = (await sharpCodec.decode(image)).raster.data;
    const isSource = sources.map(({ data }) => Buffer.compare(data, source) === 0);
    expect(isSource).toEqual([true, true, true, false, true, false]);
    expect(backend.kept).toBe(0);
    await editor.close();

    // Two edits give nearly the same: in the second the model reads the instruction with another picture.
    const plain = await open();
    const edited = async (input: Uint8Array, instruction: string) =>
      (await plain.editor.edit({ image: input, instruction, numInferenceSteps: 1 })).image;
    const once = await edited(image, 'b');
    const twice = await edited(await once.toBuffer('png'), 'a');
    const distance = (other: Uint8Array): number =>
      Math.max(...images[2]!.raster.data.map((value, at) => Math.abs(value - other[at]!)));
    expect(distance(twice.raster.data)).toBeLessThan(8);
    expect(distance(once.raster.data)).toBeGreaterThan(40);
    await plain.editor.close();
  });

  test('keeps alpha and what lies outside the mask, and is unchanged only if all of it is', async () => {
    const bytes = await picture(40, 40, true);
    const source = (await sharpCodec.decode(bytes)).raster;
    const top = Uint8Array.from({ length: 40 * 40 * 3 }, (_, at) => (at < 40 * 20 * 3 ? 255 : 0));
    const mask = await sharpCodec.encode({ width: 40, height: 40, channels: 3, data: top }, 'png');
    let restored = 0;
    const first: Plugin = {
      name: 'first',
      hooks: { beforeRestore: (state) => (restored++ === 0 ? { ...state, picture: source } : state) },
    };
    const { editor } = await open({ plugins: [again, first] });
    const { image, warnings } = await editor.edit({ image: bytes, instruction: 'x', mask, ...steps });
    expect(restored).toBe(2);
    expect(warnings).toEqual([]);
    expect(image.raster.data.subarray(40 * 20 * 4)).toEqual(source.data.subarray(40 * 20 * 4));
    expect(image.raster.data.subarray(0, 40 * 20 * 4)).not.toEqual(source.data.subarray(0, 40 * 20 * 4));
    const alpha = (data: Uint8Array) => data.filter((_, at) => at % 4 === 3);
    expect(alpha(image.raster.data)).toEqual(alpha(source.data));
    await editor.close();
  });
});

describe('cancelling', () => {
  test.each(['visionEncoder', 'textEncoder', 'vaeEncoder', 'transformer', 'vaeDecoder'])(
    'during %s stops the edit and leaves the editor usable',
    async (component) => {
      const controller = new AbortController();
      const { editor, backend } = await open(
        {},
        {
          before: (call) => {
            if (call.kind === 'run' && call.component === component) controller.abort(new Error('enough'));
          },
        },
      );
      const image = await picture();
      const error = await editor
        .edit({ image, instruction: 'x', signal: controller.signal, ...steps })
        .catch((reason) => reason);
      expect(error).toBeInstanceOf(AbortedError);
      expect(error.cause).toMatchObject({ message: 'enough' });
      expect(backend.calls.filter(({ kind, component: ran }) => kind === 'run' && ran === component)).toHaveLength(1);
      expect(backend.kept).toBe(0);
      expect((await editor.edit({ image, instruction: 'x', ...steps })).images).toHaveLength(1);
      await editor.close();
    },
  );

  test('while it waits in the queue, an edit never starts', async () => {
    let release = () => {};
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const { editor, backend } = await open({}, { before: () => gate });
    const image = await picture();
    const first = editor.edit({ image, instruction: 'first', ...steps });
    const controller = new AbortController();
    const second = editor.edit({ image, instruction: 'second', signal: controller.signal, ...steps });
    controller.abort();
    await expect(second).rejects.toBeInstanceOf(AbortedError);
    release();
    expect((await first).images).toHaveLength(1);
    expect(backend.calls.filter(({ kind, component }) => kind === 'run' && component === 'textEncoder')).toHaveLength(
      1,
    );
    await editor.close();
  });

  test('closing ends the edit in flight; afterwards there is no editor', async () => {
    const { editor } = await open({}, { before: () => new Promise((resolve) => setTimeout(resolve, 20)) });
    const running = editor.edit({ image: await picture(), instruction: 'x', ...steps });
    const failure = running.catch((reason) => reason);
    await editor.close();
    expect(await failure).toBeInstanceOf(AbortedError);
    await expect(editor.edit({ image: await picture(), instruction: 'x' })).rejects.toBeInstanceOf(ClosedError);
    await editor.close();
  });
});

test('edits of one backend run one after the other, in order, and no more wait than the limit', async () => {
  const order: string[] = [];
  let running = 0;
  const watching: Plugin = {
    name: 'watching',
    hooks: {
      beforePrepare: ({ instructions }) => {
        running += 1;
        expect(running).toBe(1);
        order.push(instructions[0]!);
      },
      afterRestore: () => {
        running -= 1;
      },
    },
  };
  const backend = createFakeBackend();
  const options = { checkpoint, backend, plugins: [watching], maxQueued: 2 };
  const [one, two] = [await createEditor(options), await createEditor(options)];
  const image = await picture();
  const edits = [
    one.edit({ image, instruction: 'a', ...steps }),
    two.edit({ image, instruction: 'b', ...steps }),
    one.edit({ image, instruction: 'c', ...steps }),
  ];
  const refused = two.edit({ image, instruction: 'd', ...steps });
  await expect(refused).rejects.toBeInstanceOf(QueueFullError);
  await Promise.all(edits);
  expect(order).toEqual(['a', 'b', 'c']);
  await one.close();
  await two.close();
});

test('a failing backend fails the edit and nothing else', async () => {
  let failing = true;
  const { editor } = await open(
    {},
    {
      before: ({ kind, component }) => {
        if (failing && kind === 'run' && component === 'transformer')
          throw new BackendError({ backend: 'fake', component, message: 'out of memory' });
      },
    },
  );
  const image = await picture();
  await expect(editor.edit({ image, instruction: 'x', ...steps })).rejects.toBeInstanceOf(BackendError);
  failing = false;
  expect((await editor.edit({ image, instruction: 'x', ...steps })).images).toHaveLength(1);
  await editor.close();
});

test('every part can be replaced by its token', async () => {
  const used = new Set<string>();
  const container = createContainer();
  container.register(TOKENS.noise, {
    useValue: {
      name: 'watched',
      create: (seed) => {
        used.add('noise');
        return torchCpuNoise.create(seed);
      },
    },
  });
  container.register(TOKENS.scheduler, {
    useValue: {
      create: (config) => {
        used.add('scheduler');
        return createScheduler({ config });
      },
    },
  });
  container.register(TOKENS.imageCodec, {
    useValue: {
      decode: (input, options) => {
        used.add('imageCodec');
        return sharpCodec.decode(input, options);
      },
      encode: (...values) => sharpCodec.encode(...values),
    },
  });
  container.register(TOKENS.workQueue, {
    useValue: {
      waiting: 0,
      run: (task) => {
        used.add('workQueue');
        return task();
      },
    },
  });
  const backend = createFakeBackend({ name: 'own' });
  container.register(TOKENS.backend, { useValue: backend });
  const { editor } = await open({ container });
  await editor.edit({ image: await picture(), instruction: 'x', ...steps });
  expect([...used].sort()).toEqual(['imageCodec', 'noise', 'scheduler', 'workQueue']);
  expect(backend.calls.length).toBeGreaterThan(0);
  await editor.close();
});

test.each([
  ['no instruction', { instruction: [] }, InvalidArgumentError, 'instruction'],
  ['an empty instruction', { instruction: ' ' }, InvalidArgumentError, 'instruction'],
  ['a placeholder', { instruction: 'a <|image_pad|> b' }, InvalidInstructionError, 'placeholder'],
  ['half a step', { numInferenceSteps: 1.5 }, InvalidArgumentError, 'numInferenceSteps'],
  ['a negative seed', { seed: -1 }, InvalidArgumentError, 'seed'],
  ['an endless scale', { guidanceScale: Number.POSITIVE_INFINITY }, InvalidArgumentError, 'guidanceScale'],
  ['no pictures', { numImages: 0 }, InvalidArgumentError, 'numImages'],
  ['a size of nothing', { size: { width: 0, height: 5 } }, InvalidArgumentError, 'size.width'],
  ['bytes that are no picture', { image: Uint8Array.of(1, 2, 3) }, InvalidImageError, 'received'],
])('%s is refused by name', async (_, change, kind, part) => {
  const { editor } = await open();
  const request = { image: await picture(), instruction: 'x', ...steps, ...change };
  const error = await editor.edit(request).catch((reason) => reason);
  expect(error).toBeInstanceOf(kind);
  expect(error.message).toContain(part);
  await editor.close();
});

test('results can be taken out in every format', async () => {
  const { editor } = await open();
  const { image } = await editor.edit({ image: await picture(), instruction: 'x', ...steps });
  for (const format of ['png', 'jpeg', 'webp', 'avif'] as const) {
    const { raster, format: read } = await sharpCodec.decode(await image.toBuffer(format));
    expect([read, raster.width, raster.height]).toEqual([format, 90, 60]);
  }
  expect((await (await image.toSharp()).metadata()).width).toBe(90);
  await expect(image.toFile('picture.bmp')).rejects.toBeInstanceOf(InvalidArgumentError);
  await editor.close();
});
