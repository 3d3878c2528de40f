import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  closestBin,
  coverAndCrop,
  createChatWriter,
  createScheduler,
  type ImageProcessorConfig,
  instructionQuery,
  letterbox,
  type NoiseDType,
  openCheckpoint,
  prepareVisionInput,
  type Raster8,
  type ResampleMethod,
  rasterToTensor,
  readTokenizer,
  resampleSync,
  resizeAndCrop,
  resizeBilinear,
  smartResize,
  torchCpuNoise,
} from '@vibe-edit/core';
import { GoldenFolder } from './golden-folder.js';
import type { Report } from './report.js';

/** What the tokenizer's vectors were made with. */
const TOKENIZER_CHECKPOINT = fileURLToPath(new URL('../fixtures/golden/tiny-a/checkpoint', import.meta.url));
const VISION_LIMITS = { minPixels: 352 ** 2, maxPixels: 672 ** 2 };
const PROCESSOR: ImageProcessorConfig = {
  patch_size: 16,
  merge_size: 2,
  temporal_patch_size: 2,
  image_mean: [0.5, 0.5, 0.5],
  image_std: [0.5, 0.5, 0.5],
  rescale_factor: 1 / 255,
};
const DTYPES: Readonly<Record<string, NoiseDType>> = { f32: 'float32', bf16: 'bfloat16' };
const METHODS: Readonly<Record<string, ResampleMethod>> = {
  'pillow-lanczos': 'pillow-lanczos',
  'pillow-bicubic': 'pillow-bicubic',
  'pillow-bilinear': 'pillow-bilinear',
  'torchvision-bicubic-antialias-uint8': 'torch-bicubic',
  'torchvision-bilinear-antialias-uint8': 'torch-bilinear',
};

const CHECKS: Readonly<Record<string, (folder: GoldenFolder, report: Report) => Promise<void>>> = {
  'randn.safetensors': compareNoise,
  'scheduler.safetensors': compareSchedulers,
  'resize.safetensors': compareResizing,
  'geometry.json': compareGeometry,
  'bins.json': compareBins,
  'qwen-images.json': compareImageProcessor,
  'tokenizer.json': compareTokenizer,
};

/** Files that make a folder one of vectors. A checkpoint's tokenizer has a file of the last one's name. */
export const VECTOR_FILES: readonly string[] = Object.keys(CHECKS).filter((file) => file !== 'tokenizer.json');

/** Compares single functions: random numbers, schedulers, resizing, geometry, bins, tokenizer, image processor. */
export async function compareVectors(path: string, report: Report): Promise<void> {
  const folder = await GoldenFolder.open(path);
  report.heading(path);
  for (const [file, check] of Object.entries(CHECKS)) {
    if (!folder.has(file)) continue;
    try {
      await check(folder, report);
    } catch (error) {
      report.failed(join(path, file), error);
    }
  }
  folder.reportLeft(report);
}

async function compareNoise(folder: GoldenFolder, report: Report): Promise<void> {
  const tensors = await folder.tensors('randn.safetensors');
  const seeds = [...new Set(tensors.names.flatMap((name) => /seed=(-?\d+)/.exec(name)?.[1] ?? []))].map(BigInt);
  for (const name of tensors.names.filter((each) => each.includes('/shape=') && each.includes('seed='))) {
    const [, short = '', seed = '0'] = /^(\w+)\/seed=(-?\d+)/.exec(name) ?? [];
    const { shape } = tensors.take(name);
    const dtype = DTYPES[short] ?? 'float32';
    report.floats(name, torchCpuNoise.create(BigInt(seed)).normal({ shape, dtype }).values, tensors.floats(name));
  }
  for (const [short, dtype] of Object.entries(DTYPES)) {
    for (const seed of seeds) {
      const generator = torchCpuNoise.create(seed);
      const prefix = `${short}/seed=${seed}/sequence/`;
      const draws = tensors.names.filter((name) => name.startsWith(prefix)).sort((a, b) => drawIndex(a) - drawIndex(b));
      for (const name of draws) {
        report.floats(name, generator.normal({ shape: tensors.take(name).shape, dtype }).values, tensors.floats(name));
      }
    }
  }
  // The file does not say which seeds the generators of a list had: each row must be some seed's.
  for (const name of tensors.names.filter((each) => each.includes('list-of-generators'))) {
    const { shape } = tensors.take(name);
    const [rows = 0, ...rest] = shape;
    const values = tensors.floats(name);
    const size = values.length / rows;
    for (let row = 0; row < rows; row++) {
      const expected = values.subarray(row * size, (row + 1) * size);
      const candidates = seeds.map((seed) => torchCpuNoise.create(seed).normal({ shape: rest }).values);
      const match = candidates.find((candidate) =>
        candidate.every((value, at) => Math.abs(value - (expected[at] as number)) < 1e-6),
      );
      report.floats(`${name} row ${row}`, match, expected);
    }
  }
}

function drawIndex(name: string): number {
  return Number(/sequence\/(\d+):/.exec(name)?.[1]);
}

async function compareSchedulers(folder: GoldenFolder, report: Report): Promise<void> {
  const variants =
    await folder.json<{ name: string; class: string; config: object; steps: number[] }[]>('scheduler.json');
  const tensors = await folder.tensors('scheduler.safetensors');
  for (const variant of variants) {
    for (const steps of variant.steps) {
      const key = `${variant.name}/steps=${steps}`;
      const scheduler = createScheduler({ config: { _class_name: variant.class, ...variant.config } });
      const { timesteps, sigmas } = scheduler.setTimesteps(steps);
      report.integers(`${key}/timesteps`, timesteps, tensors.take(`${key}/timesteps`).values);
      report.floats(`${key}/sigmas`, sigmas, tensors.floats(`${key}/sigmas`));
      const outputs = tensors.floats(`${key}/model_outputs`);
      let sample = tensors.floats(`${key}/sample`);
      const size = sample.length;
      const results = new Float32Array(outputs.length);
      for (let stepIndex = 0; stepIndex < steps; stepIndex++) {
        sample = scheduler.step({
          modelOutput: outputs.subarray(stepIndex * size, (stepIndex + 1) * size),
          stepIndex,
          sample,
        });
        results.set(sample, stepIndex * size);
      }
      report.floats(`${key}/results`, results, tensors.floats(`${key}/results`));
    }
  }
}

async function compareResizing(folder: GoldenFolder, report: Report): Promise<void> {
  const tensors = await folder.tensors('resize.safetensors');
  const index = await folder.json<{ source: string; height: number; width: number }[]>('resize.json');
  for (const { source, height, width } of index) {
    const { shape, values } = tensors.take(source);
    report.integers(`resize.json ${source}`, [height, width], shape.slice(0, 2));
    const image: Raster8 = { width, height, channels: 3, data: values as Uint8Array };
    for (const name of tensors.names.filter((each) => each.startsWith(`${source}/`))) {
      const [, method = '', size = ''] = name.split('/');
      const [targetHeight = 0, targetWidth = 0] = size.split('x').map(Number);
      const target = { width: targetWidth, height: targetHeight };
      if (METHODS[method] !== undefined) {
        report.integers(
          name,
          resampleSync({ image, ...target, method: METHODS[method] }).data,
          tensors.take(name).values,
        );
      } else if (method === 'torch-bilinear-float') {
        report.floats(
          name,
          (await resizeBilinear({ image: await rasterToTensor({ raster: image }), ...target })).values,
          tensors.floats(name),
        );
      } else if (method === 'resize_and_crop_tensor') {
        report.floats(
          name,
          (await resizeAndCrop({ image: await rasterToTensor({ raster: image }), ...target })).values,
          tensors.floats(name),
        );
      }
    }
  }
}

interface GeometryRow {
  readonly height: number;
  readonly width: number;
  readonly [field: string]: unknown;
}

async function compareGeometry(folder: GoldenFolder, report: Report): Promise<void> {
  for (const row of await folder.json<GeometryRow[]>('geometry.json')) {
    const source = { width: row.width, height: row.height };
    const bin = closestBin(source);
    const { resized, crop } = letterbox({ source, bin });
    const cover = coverAndCrop({ source: bin, target: source });
    const pair = (size: { width: number; height: number }): number[] => [size.height, size.width];
    const computed: Record<string, unknown> = {
      height: row.height,
      width: row.width,
      smart_resize_32: pair(smartResize({ ...source, factor: 32, ...VISION_LIMITS })),
      smart_resize_28: pair(smartResize({ ...source, factor: 28, ...VISION_LIMITS })),
      bin: pair(bin),
      bin_of_bin: pair(closestBin(bin)),
      letterbox_resize: pair(resized),
      letterbox_crop_xyxy: [crop.left, crop.top, crop.right, crop.bottom],
      pipeline_resize: pair(cover.resized),
      pipeline_crop_yx: [cover.top, cover.left],
    };
    const shown = Object.fromEntries(Object.keys(row).map((field) => [field, computed[field]]));
    report.same(`geometry ${row.height} x ${row.width}`, shown, row);
  }
}

async function compareBins(folder: GoldenFolder, report: Report): Promise<void> {
  const bins = await folder.json<{
    tables: Record<string, Record<string, [number, number]>>;
    bins_that_move_when_binned_again: unknown;
  }>('bins.json');
  for (const [base, table] of Object.entries(bins.tables)) {
    const area = Number(base) ** 2;
    const found = Object.fromEntries(
      Object.keys(table).map((ratio) => {
        const width = Math.sqrt(area / Number(ratio));
        const bin = closestBin({ width, height: width * Number(ratio) });
        return [ratio, [bin.height, bin.width]];
      }),
    );
    report.same(`bins ${base}`, found, table);
    const moved = Object.values(table).filter(([height, width]) => {
      const again = closestBin({ width, height });
      return again.width !== width || again.height !== height;
    });
    report.same(`bins ${base} that move when binned again`, moved, bins.bins_that_move_when_binned_again);
  }
}

async function compareTokenizer(folder: GoldenFolder, report: Report): Promise<void> {
  const { tokenizer: files } = await openCheckpoint(TOKENIZER_CHECKPOINT);
  const tokenizer = readTokenizer(files.tokenizer, files.config);
  const write = createChatWriter(files);
  const vectors = await folder.json<{
    strings: { text: string; ids: number[] }[];
    instructions: { instruction: string; edit: string; generate: string }[];
    chats: { image: boolean; text: string; chat: string }[];
  }>('tokenizer.json');
  for (const { text, ids } of vectors.strings)
    report.integers(`ids of ${JSON.stringify(text)}`, tokenizer.encode(text).ids, ids);
  for (const { instruction, edit, generate } of vectors.instructions) {
    const label = `query of ${JSON.stringify(instruction)}`;
    report.same(
      label,
      [instructionQuery({ instruction, task: 'edit' }), instructionQuery({ instruction, task: 'generate' })],
      [edit, generate],
    );
  }
  for (const { image, text, chat } of vectors.chats)
    report.same(`chat of ${JSON.stringify(text)}`, write({ text, picture: image }), chat);
}

async function compareImageProcessor(folder: GoldenFolder, report: Report): Promise<void> {
  const rows =
    await folder.json<{ input: number[]; resized: number[]; fast_slow_max_levels: number }[]>('qwen-images.json');
  for (const [index, row] of rows.entries()) {
    const image = await folder.picture(`qwen-${index}-input.png`);
    report.integers(`qwen-${index} input`, [image.height, image.width], row.input);
    const { pixelCodes, grid } = await prepareVisionInput({ image, config: PROCESSOR });
    const patch = pixelCodes.shape[3] as number;
    report.integers(`qwen-${index} resized`, [grid[1] * patch, grid[2] * patch], row.resized);
    const seen = assemble(pixelCodes.values, grid, patch);
    report.integers(`qwen-${index}-fast.png`, seen, (await folder.picture(`qwen-${index}-fast.png`)).data);
    // The slow processor resizes as Pillow does; the pipeline never uses it.
    const slow = resampleSync({ image, width: grid[2] * patch, height: grid[1] * patch, method: 'pillow-bicubic' });
    const expected = await folder.picture(`qwen-${index}-slow.png`);
    report.integers(`qwen-${index}-slow.png`, slow.data, expected.data);
    const levels = seen.reduce((most, value, at) => Math.max(most, Math.abs(value - (slow.data[at] as number))), 0);
    report.integers(`qwen-${index} levels between fast and slow`, [levels], [row.fast_slow_max_levels]);
  }
}

/** Patches in merge-block order back to a picture, channels interleaved. */
function assemble(codes: Uint8Array, [, rows, columns]: readonly [number, number, number], patch: number): Uint8Array {
  const merge = 2;
  const width = columns * patch;
  const picture = new Uint8Array(rows * patch * width * 3);
  let from = 0;
  for (let index = 0; index < rows * columns; index++) {
    const block = Math.floor(index / merge ** 2);
    const inside = index % merge ** 2;
    const row = Math.floor(block / (columns / merge)) * merge + Math.floor(inside / merge);
    const column = (block % (columns / merge)) * merge + (inside % merge);
    for (let channel = 0; channel < 3; channel++) {
      for (let y = 0; y < patch; y++) {
        for (let x = 0; x < patch; x++)
          picture[((row * patch + y) * width + column * patch + x) * 3 + channel] = codes[from++] as number;
      }
    }
  }
  return picture;
}
