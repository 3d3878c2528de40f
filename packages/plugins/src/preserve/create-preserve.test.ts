import {
  type Checkpoint,
  type Conditioning,
  hostTensor,
  type PluginContext,
  type Raster8,
  type RestoreState,
  type TensorInfo,
  type Warning,
} from '@vibe-edit/core/runtime';
import { describe, expect, it } from 'vitest';
import { createPreserve } from './create-preserve.js';
import type { Planes } from './planes.js';
import { analyse, render } from './preserve-worker.js';
import type { Runner } from './runner.js';
import { createSliceRunner } from './slice-runner.js';

const WORKING = { width: 48, height: 32 };
const SOURCE = { width: 150, height: 100 };

function tensor(color: (x: number, y: number, channel: number) => number) {
  const { width, height } = WORKING;
  const values = Float32Array.from({ length: 3 * width * height }, (_, i) => {
    const pixel = i % (width * height);
    return color((pixel % width) / width, Math.floor(pixel / width) / height, Math.floor(i / (width * height))) * 2 - 1;
  });
  return hostTensor('float32', [1, 3, height, width], values);
}

/** Of an autoencoder that makes 4 x 4 pixels one latent. */
const LATENTS = hostTensor('float32', [1, 1, 8, 12], new Float32Array(96));

const waves = (x: number, y: number, channel: number): number => 0.5 + 0.4 * Math.sin(9 * x + 7 * y + 2 * channel);
const before = tensor(waves);
/** Darker, and with a checkered square that is new. */
const after = tensor((x, y, channel) =>
  x > 0.3 && x < 0.6 && y > 0.3 && y < 0.7 ? (Math.floor(x * 12) + Math.floor(y * 8)) % 2 : waves(x, y, channel) ** 1.8,
);

const source: Raster8 = {
  ...SOURCE,
  channels: 3,
  data: Uint8Array.from({ length: 3 * SOURCE.width * SOURCE.height }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return 255 * waves((pixel % SOURCE.width) / SOURCE.width, Math.floor(pixel / SOURCE.width) / SOURCE.height, i % 3);
  }),
};

const NO_WEIGHTS: TensorInfo = { name: 'weights', dtype: 'F32', shape: [1], file: '', offset: 0, byteLength: 4 };

interface Said {
  /** Embedding of the instruction, see `conditioningOf`. */
  readonly embedding: readonly number[];
  readonly nullDistance: number;
  readonly textToImage?: boolean;
  /** What every wording says, see `wordingDistance`. */
  readonly wording?: number;
  readonly warnings: Warning[];
}

function contextOf(request: Partial<PluginContext['request']>, said?: Said): PluginContext {
  return {
    request: {
      task: 'edit',
      instructions: ['darker'],
      seed: 1,
      numInferenceSteps: 1,
      guidanceScale: 1,
      imageGuidanceScale: 0,
      numImages: 1,
      size: undefined,
      geometry: 'exact',
      preserve: 'auto',
      previews: false,
      ...request,
    },
    checkpoint: {
      defaults: { nullDistance: said?.nullDistance, textToImage: said?.textToImage ?? true },
      outOfScope:
        said?.wording === undefined ? undefined : { weights: NO_WEIGHTS, bias: { ...NO_WEIGHTS, name: 'bias' } },
      readTensor: async ({ name }: TensorInfo) =>
        new Uint8Array(Float32Array.of(name === 'bias' ? (said?.wording as number) : 0).buffer),
    } as Checkpoint,
    source,
    sourceLatents: LATENTS,
    signal: undefined,
    store: new Map(),
    warn: (warning) => void said?.warnings.push(warning),
    stages: {
      encode: async (image) => image,
      decode: async () => before,
      condition: async () => ({ promptEmbeds: before, nullEmbeds: before }),
      toTensor: async () => before,
    },
  };
}

async function edit(runner: Runner, preserve: 'tone' | 'auto', said?: Said): Promise<Raster8> {
  const context = contextOf({ preserve }, said);
  const state: RestoreState = { index: 0, decoded: after, latents: after, picture: undefined };
  const { hooks } = createPreserve(() => runner, { stripPixels: 2_500 });
  if (said !== undefined) await hooks.afterCondition?.(conditioningOf(said.embedding), context);
  await hooks.beforeRestore?.(state, context);
  return state.picture!;
}

/** Instructions of the given embeddings, one after the other; the unconditional one is [3, 4]. */
function conditioningOf(embeddings: readonly number[]): Conditioning {
  const embeds = (values: readonly number[]) =>
    hostTensor('float32', [values.length / 2, 1, 2], Float32Array.from(values));
  return { promptEmbeds: embeds(embeddings), nullEmbeds: embeds([3, 4]) };
}

/** What the worker thread does, without the thread. */
function workerRunner(): Runner {
  const copy = (planes: Planes): Planes => structuredClone(planes);
  return {
    share: async (values) => values,
    analyse: async (input) => analyse({ ...input, before: copy(input.before) }),
    render: async (strip) => render(structuredClone(strip)),
    close: async () => {},
  };
}

describe('preserve in slices, as in a browser', () => {
  it.each(['tone', 'auto'] as const)('gives the pixels that the thread gives: %s', async (mode) => {
    const sliced = await edit(createSliceRunner(), mode);
    const threaded = await edit(workerRunner(), mode);
    expect(sliced.data.findIndex((value, i) => value !== threaded.data[i])).toBe(-1);
    expect(sliced).toMatchObject({ ...SOURCE, channels: 3 });
  });

  it('shows the new content in auto only', async () => {
    const tone = await edit(createSliceRunner(), 'tone');
    const auto = await edit(createSliceRunner(), 'auto');
    // Contrast along a row of squares, in levels.
    const contrast = ({ data, width }: Raster8): number => {
      const row = data.subarray(56 * width * 3 + 50 * 3, 56 * width * 3 + 85 * 3);
      return Math.max(...row) - Math.min(...row);
    };
    expect(contrast(auto)).toBeGreaterThan(230);
    expect(contrast(tone)).toBeLessThan(150);
  });

  it('lets the event loop turn', async () => {
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    await edit(createSliceRunner(), 'auto');
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});

describe('an instruction that the checkpoint embeds like the empty prompt', () => {
  it('leaves every pixel as it was and says so', async () => {
    const said: Said = { embedding: [3, 5.4], nullDistance: 0.3, warnings: [] };
    const picture = await edit(createSliceRunner(), 'auto', said);
    expect(picture.data).toEqual(source.data);
    expect(picture.data).not.toBe(source.data);
    expect(said.warnings).toEqual([{ code: 'not-understood', message: expect.stringContaining('"darker"') }]);
  });

  it.each([
    ['lies farther away', { embedding: [3, 5.6], nullDistance: 0.3 }],
    ['is of a checkpoint that names no distance', { embedding: [3, 4], nullDistance: 0 }],
  ])('is an edit like any other where it %s', async (_, said) => {
    const warnings: Warning[] = [];
    const picture = await edit(createSliceRunner(), 'auto', { ...said, warnings });
    expect(picture.data).not.toEqual(source.data);
    expect(warnings).toEqual([]);
  });
});

describe('a checkpoint that comes with a model of wordings', () => {
  const embedding = [3, 5.4];

  it.each([
    ['is left alone where its wording says so', 0.2, 0.3, ['not-understood']],
    ['is an edit where its wording does not say so', 0.2, 0.25, []],
    ['is left alone where only the embedding says so', 0.3, -1, ['not-understood']],
  ])('an instruction %s', async (_, nullDistance, wording, codes) => {
    const said: Said = { embedding, nullDistance, wording, warnings: [] };
    const picture = await edit(createSliceRunner(), 'auto', said);
    expect(said.warnings.map(({ code }) => code)).toEqual(codes);
    expect(Buffer.compare(picture.data, source.data) === 0).toBe(codes.length > 0);
  });

  it('is not asked about descriptions', async () => {
    const said: Said = { embedding, nullDistance: 0.2, wording: 9, warnings: [] };
    const request = { task: 'generate', instructions: ['a blue sky'] } as const;
    const { hooks } = createPreserve(createSliceRunner);
    await hooks.afterCondition?.(conditioningOf(embedding), contextOf(request, said));
    expect(said.warnings).toEqual([]);
  });
});

describe('a description that the checkpoint embeds like the empty prompt', () => {
  it('is named in a warning of its own, and the picture is left to the pipeline', async () => {
    const warnings: Warning[] = [];
    const request = { task: 'generate', preserve: 'off', geometry: 'pipeline', size: WORKING } as const;
    const said: Said = { embedding: [9, 4, 3, 5.4], nullDistance: 0.3, warnings };
    const instructions = ['a blue sky', 'a dog riding a bike'];
    const context: PluginContext = {
      ...contextOf({ ...request, instructions }, said),
      source: undefined,
      sourceLatents: undefined,
    };
    const { hooks } = createPreserve(createSliceRunner);
    await hooks.afterCondition?.(conditioningOf(said.embedding), context);
    expect(warnings).toEqual([
      {
        code: 'not-understood',
        message: expect.stringMatching(/^"a dog riding a bike" describes no picture .* nothing; /),
      },
    ]);
    const state: RestoreState = { index: 1, decoded: after, latents: after, picture: undefined };
    await hooks.beforeRestore?.(state, context);
    expect(state.picture).toBeUndefined();
  });

  it('is every one of a checkpoint that makes no pictures from text', async () => {
    const warnings: Warning[] = [];
    const said: Said = { embedding: [9, 4], nullDistance: 0.3, textToImage: false, warnings };
    const request = { task: 'generate', instructions: ['a blue sky'] } as const;
    const { hooks } = createPreserve(createSliceRunner);
    await hooks.afterCondition?.(conditioningOf(said.embedding), contextOf(request, said));
    expect(warnings).toEqual([{ code: 'not-understood', message: expect.stringContaining('"a blue sky"') }]);
  });
});
