import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openCheckpoint, readSafetensorsFile, readSafetensorsHeader } from '@vibe-edit/core';
import {
  type AutoencoderConfig,
  type Checkpoint,
  type HostTensor,
  hostTensor,
  InvalidArgumentError,
  InvalidCheckpointError,
  rasterToTensor,
  resample,
} from '@vibe-edit/core/runtime';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { GOLDEN_CASES } from '../../../../../test/golden-cases.js';
import { type GoldenTensor, goldenPicture, goldenTensors, maxDifference } from '../../../../../test/golden-vectors.js';
import { type CompileOptions, compileComponent } from '../../compile-component.js';

/** Largest absolute difference of values around 1. */
const TOLERANCE = 1e-5;
/** Inside the decoder activations reach 460: there, of the largest value. torch itself is that far from float64. */
const RELATIVE_TOLERANCE = 2e-6;

interface Picture {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** Opens the encoder or the decoder and gives a function that runs it on pictures or latents of any size. */
async function openVae(options: CompileOptions): Promise<{
  run: (input: Picture) => Promise<Record<string, Picture>>;
  release: () => Promise<void>;
}> {
  const model = compileComponent(options);
  const session = await InferenceSession.create(model.bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
    extra: { session: { model_external_initializers_file_folder_path: model.weightsRoot } },
  });
  const { vae } = options.checkpoint;
  const halvings = vae.config.encoder_block_out_channels.length - 1;
  const [name, divisor] =
    options.component === 'vaeEncoder' ? (['image', 2 ** halvings] as const) : (['latents', 1] as const);
  return {
    run: async ({ shape, values }) => {
      const size = shape.slice(2).map((side) => BigInt(side / divisor));
      const outputs = await session.run({
        [name]: new Tensor('float32', values, shape),
        latent_size: new Tensor('int64', BigInt64Array.from(size), [2]),
      });
      return Object.fromEntries(
        Object.entries(outputs).map(([key, { dims, data }]) => [key, { shape: dims, values: data as Float32Array }]),
      );
    },
    release: () => session.release(),
  };
}

/** Every `stride`-th row and column of the leading pictures, in the size of `like`. */
function thinned({ shape, values }: Picture, like: GoldenTensor, stride: number): Float32Array {
  const [, channels = 0, height = 0, width = 0] = shape;
  const [batch = 0, , rows = 0, columns = 0] = like.shape;
  const result = new Float32Array(like.values.length);
  let next = 0;
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let y = 0; y < rows; y++) {
      for (let x = 0; x < columns; x++) {
        result[next++] = values[(plane * height + y * stride) * width + x * stride]!;
      }
    }
  }
  return result;
}

/** Recorded values whose names begin alike, and how far apart their recorded rows and columns are. */
function recorded(tensors: ReadonlyMap<string, GoldenTensor>, prefix: string) {
  return [...tensors].flatMap(([name, golden]) => {
    const stride = Number(/stride=(\d+)/.exec(name)?.[1] ?? 1);
    return name.startsWith(prefix) ? [{ path: name.replace(/\[.*/, ''), stride, golden }] : [];
  });
}

function expectClose(picture: Picture, golden: GoldenTensor, stride: number): void {
  let largest = TOLERANCE / RELATIVE_TOLERANCE;
  for (const value of golden.values) largest = Math.max(largest, Math.abs(value));
  expect(maxDifference(thinned(picture, golden, stride), golden.values)).toBeLessThan(RELATIVE_TOLERANCE * largest);
}

describe.each(GOLDEN_CASES)('$name', async ({ name, checkpoint: folder, runs }) => {
  const checkpoint = await openCheckpoint(folder);
  const { scaling_factor, encoder_block_out_channels } = checkpoint.vae.config;
  const full = runs.find((entry) => entry.full)!;
  const golden = goldenTensors(`${name}/runs/${full.name}/tensors.safetensors`);
  const trace = goldenTensors(`${name}/runs/${full.name}/trace.safetensors`);
  const latents = golden.get('decoder_input')! as Picture;

  test('the encoder gives the reference’s source latents', async () => {
    const source = golden.get('source_latents')!;
    const [height = 0, width = 0] = source.shape
      .slice(2)
      .map((side) => side * 2 ** (encoder_block_out_channels.length - 1));
    const picture = await goldenPicture(`${name}/${full.picture}.png`);
    const resized = await resample({ image: picture, width, height, method: 'pillow-lanczos' });
    const image = await rasterToTensor({ raster: resized });
    expect(
      maxDifference(thinned(image, golden.get('vae_input[stride=8]')!, 8), golden.get('vae_input[stride=8]')!.values),
    ).toBe(0);

    const modules = recorded(trace, 'vae.encoder.');
    const { run, release } = await openVae({
      component: 'vaeEncoder',
      checkpoint,
      taps: modules.map(({ path }) => path),
    });
    const outputs = await run(image);
    await release();
    const scaled = outputs.latents!.values.map((value) => value * scaling_factor);
    expect(maxDifference(scaled, source.values)).toBeLessThan(TOLERANCE);
    expect(modules.length).toBe(1 + encoder_block_out_channels.length);
    for (const { path, stride, golden: expected } of modules) expectClose(outputs[path]!, expected, stride);
  });

  test('the decoder gives the reference’s picture', async () => {
    const modules = recorded(trace, 'vae.decoder.');
    const { run, release } = await openVae({
      component: 'vaeDecoder',
      checkpoint,
      taps: modules.map(({ path }) => path),
    });
    const outputs = await run(latents);
    await release();
    const pictures = [...recorded(golden, 'decoded['), ...recorded(golden, 'decoded_corner')];
    expect(pictures.length).toBe(2);
    for (const { stride, golden: expected } of pictures) {
      expect(maxDifference(thinned(outputs.image!, expected, stride), expected.values)).toBeLessThan(TOLERANCE);
    }
    expect(modules.length).toBe(1 + encoder_block_out_channels.length);
    for (const { path, stride, golden: expected } of modules) expectClose(outputs[path]!, expected, stride);
  });

  test('fixed sizes give the same picture and known shapes', async () => {
    const [batch = 0, , latent_height = 0, latent_width = 0] = latents.shape;
    const compile: CompileOptions = { component: 'vaeDecoder', checkpoint };
    const dimensions = { batch, latent_height, latent_width };
    const factor = 2 ** (encoder_block_out_channels.length - 1);
    const shape = [batch, 3, factor * latent_height, factor * latent_width];
    expect(compileComponent(compile).outputs[0]?.shape).toEqual(['batch', 3, 'height', 'width']);
    expect(compileComponent({ ...compile, dimensions }).outputs[0]?.shape).toEqual(shape);
    const { run, release } = await openVae({ ...compile, dimensions });
    const [corner] = recorded(golden, 'decoded_corner');
    expect(maxDifference(thinned((await run(latents)).image!, corner!.golden, 1), corner!.golden.values)).toBeLessThan(
      TOLERANCE,
    );
    await release();
  });
});

describe.each(['shuffled', 'strided', 'deep'])('%s autoencoder', async (name) => {
  const path = (file: string): string =>
    fileURLToPath(new URL(`../../../../../test/fixtures/autoencoder-dc/${file}`, import.meta.url));
  const config: AutoencoderConfig = JSON.parse(readFileSync(path(`${name}.json`), 'utf8'));
  const { tensors: stateDict } = await readSafetensorsHeader(path(`${name}.safetensors`));
  const values = await readSafetensorsFile(path(`${name}.safetensors`));
  const other = await openCheckpoint(GOLDEN_CASES[0]!.checkpoint);
  const checkpoint: Checkpoint = { ...other, weightsRoot: path('.'), vae: { config, stateDict } };
  const value = (key: string): HostTensor<'float32'> => {
    const { shape, values: elements } = values.get(key)!;
    return hostTensor('float32', shape, elements as Float32Array);
  };
  const sizes = [...values.keys()]
    .filter((key) => key.startsWith('latents.'))
    .map((key) => key.replace('latents.', ''));

  test('encodes as diffusers does, at every size in one session', async () => {
    const { run, release } = await openVae({ component: 'vaeEncoder', checkpoint });
    for (const size of sizes) {
      const { latents } = await run(value(`image.${size}`));
      const expected = value(`encoded.${size}`);
      expect(latents!.shape).toEqual(expected.shape);
      expect(maxDifference(latents!.values, expected.values)).toBeLessThan(TOLERANCE);
    }
    await release();
  });

  test('decodes as diffusers does, at every size in one session', async () => {
    const { run, release } = await openVae({ component: 'vaeDecoder', checkpoint });
    for (const size of sizes) {
      const { image } = await run(value(`latents.${size}`));
      const expected = value(`decoded.${size}`);
      expect(image!.shape).toEqual(expected.shape);
      expect(maxDifference(image!.values, expected.values)).toBeLessThan(TOLERANCE);
    }
    await release();
  });
});

describe('faults', async () => {
  const checkpoint = await openCheckpoint(GOLDEN_CASES[0]!.checkpoint);
  const withTensor = (key: string, shape: readonly number[] | undefined): Checkpoint => {
    const stateDict = new Map(checkpoint.vae.stateDict);
    const known = stateDict.get(key)!;
    if (shape === undefined) stateDict.delete(key);
    else stateDict.set(key, { ...known, shape });
    return { ...checkpoint, vae: { ...checkpoint.vae, stateDict } };
  };

  test.each([
    ['missing', undefined],
    ['of another shape', [8, 3, 3, 5]],
  ])('a weight that is %s is named', (_, shape) => {
    const key = 'encoder.conv_in.weight';
    const compile = (): unknown => compileComponent({ component: 'vaeEncoder', checkpoint: withTensor(key, shape) });
    expect(compile).toThrow(InvalidCheckpointError);
    expect(compile).toThrow(key);
  });

  test('a tap that no module has is named', () => {
    const compile = (): unknown =>
      compileComponent({ component: 'vaeDecoder', checkpoint, taps: ['vae.decoder.nothing'] });
    expect(compile).toThrow(InvalidArgumentError);
    expect(compile).toThrow('vae.decoder.nothing');
  });
});
