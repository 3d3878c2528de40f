import { join } from 'node:path';
import { createBackend } from '@vibe-edit/adapters/cpu';
import {
  type Backend,
  type Checkpoint,
  createContainer,
  createEditor,
  createScheduler,
  type EditResult,
  type HostTensor,
  prepareVisionInput,
  type Raster8,
  TOKENS,
  tensorToRaster,
  torchCpuNoise,
} from '@vibe-edit/core';
import { compareRun, type RunComparison } from './compare-run.js';
import { compareTrace, tapsOf } from './compare-trace.js';
import { type GoldenRun, isJudged, type NoiseFloor } from './golden-case.js';
import type { GoldenFolder } from './golden-folder.js';
import { Recorder } from './recorder.js';
import { croppedAsReference } from './reference-crop.js';
import type { Report } from './report.js';

/** All pictures of a run are denoised together, as the reference does, so that its batches can be compared. */
const BATCH_SIZE = 1024;

/** One call of the reference, repeated through the SDK; its editor's pictures by a second call in the editor's geometry. */
export async function compareOneRun(options: {
  folder: GoldenFolder;
  path: string;
  run: GoldenRun;
  checkpoint: Checkpoint;
  noise: NoiseFloor | undefined;
  report: Report;
}): Promise<void> {
  const { folder, path, run, checkpoint, report } = options;
  const files = run.files ?? folder.list(`${path}/`).map((name) => name.slice(path.length + 1));
  const traced = files.includes('trace.safetensors');
  const taps = traced ? tapsOf((await folder.tensors(`${path}/trace.safetensors`)).names) : tapsOf([]);
  const recorder = new Recorder(taps);
  const judged = isJudged(run);
  const backend = recorder.backend(await createBackend({ threads: 1 }));
  try {
    const picture = run.picture === undefined ? undefined : await folder.picture(`${run.picture}.png`);
    const patched = picture && (await prepareVisionInput({ image: picture, config: checkpoint.imageProcessor }));
    const source = picture && patched && { width: picture.width, height: picture.height, grid: patched.grid };
    const call = (geometry: 'pipeline' | 'reference') =>
      callEditor({ backend, recorder, checkpoint, run, picture: picturePath(folder, run), geometry });
    const { images } = await call('pipeline');
    const comparison: RunComparison = { ...options, recorder, images, source };
    await compareRun(comparison);
    if (traced) await compareTrace(comparison);
    const judge = (name: string, actual: Raster8 | undefined, expected: Raster8): void =>
      judged ? report.picture(name, actual, expected) : report.shown(name, actual?.data, expected.data);
    for (const name of files.filter((file) => /^pipeline-\d+\.png$/.test(file))) {
      const own = images[pictureIndex(name)]?.raster;
      const decoded = recorder.all('vaeDecoder')[pictureIndex(name)]?.outputs.image as
        | HostTensor<'float32'>
        | undefined;
      const cropped = own && decoded && (await croppedAsReference({ image: decoded, target: own }));
      judge(`${path} ${name}`, cropped ?? own, await folder.picture(`${path}/${name}`));
    }
    for (const name of files.filter((file) => /^decoded-\d+\.png$/.test(file))) {
      const decoded = recorder.all('vaeDecoder')[pictureIndex(name)]?.outputs.image;
      judge(
        `${path} ${name}`,
        decoded && (await tensorToRaster({ image: decoded as HostTensor<'float32'> })),
        await folder.picture(`${path}/${name}`),
      );
    }
    const edited = files.filter((file) => /^editor-\d+\.png$/.test(file));
    if (edited.length > 0) {
      const again = await call('reference');
      for (const name of edited)
        judge(`${path} ${name}`, again.images[pictureIndex(name)]?.raster, await folder.picture(`${path}/${name}`));
    }
  } finally {
    await backend.close();
  }
}

function picturePath(folder: GoldenFolder, run: GoldenRun): string | undefined {
  return run.picture === undefined ? undefined : join(folder.path, `${run.picture}.png`);
}

function pictureIndex(name: string): number {
  return Number(/(\d+)\.png$/.exec(name)?.[1]);
}

async function callEditor(options: {
  backend: Backend;
  recorder: Recorder;
  checkpoint: Checkpoint;
  run: GoldenRun;
  picture: string | undefined;
  geometry: 'pipeline' | 'reference';
}): Promise<EditResult> {
  const { backend, recorder, checkpoint, run, picture, geometry } = options;
  recorder.clear();
  const container = createContainer();
  container.register(TOKENS.scheduler, {
    useValue: recorder.scheduler({ create: (config) => createScheduler({ config }) }),
  });
  if (!isJudged(run)) {
    container.register(TOKENS.noise, {
      useValue: {
        name: 'torch-cpu bfloat16',
        create: (seed) => {
          const generator = torchCpuNoise.create(seed);
          return { normal: ({ shape }) => generator.normal({ shape, dtype: 'bfloat16' }) };
        },
      },
    });
  }
  const editor = await createEditor({ checkpoint, backend, container, memory: 'keep', batchSize: BATCH_SIZE });
  try {
    const common = {
      instruction: run.prompt,
      seed: run.seed,
      numInferenceSteps: run.steps,
      guidanceScale: run.guidance_scale,
      numImages: run.num_images_per_prompt ?? 1,
    };
    if (picture === undefined) {
      return await editor.generate({ ...common, size: { width: run.width ?? 0, height: run.height ?? 0 } });
    }
    return await editor.edit({
      ...common,
      image: picture,
      imageGuidanceScale: run.image_guidance_scale,
      geometry,
      preserve: 'off',
    });
  } finally {
    await editor.close();
  }
}
