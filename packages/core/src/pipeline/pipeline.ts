import { type HostTensor, hostTensor, type Tensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import type { Raster8 } from '../image/raster.js';
import type {
  Conditioning,
  FinishedPicture,
  PipelineInput,
  PipelineStages,
  Plugin,
  PluginContext,
  PreparedInput,
  Warning,
} from '../plugin/plugin.js';
import { runHooks } from '../plugin/run-hooks.js';
import type { NoiseSource } from '../random/noise-source.js';
import type { SchedulerFactory } from '../scheduler/scheduler.js';
import { type Conditioner, createConditioner } from './condition.js';
import { denoise } from './denoise.js';
import { planGuidance } from './guidance.js';
import { fitLatentProjection, type LatentProjection, previewLatents, probeLatents } from './latent-preview.js';
import { pictureTensor } from './picture-tensor.js';
import { compressionOf, prepareInput } from './prepare.js';
import type { ProgressEvent, Stage } from './progress.js';
import { STAGES } from './progress.js';
import type { ResolvedRequest } from './request.js';
import { restorePicture } from './restore.js';
import type { SessionPool } from './session-pool.js';

/** What a pipeline is put together from. */
export interface PipelineParts {
  readonly checkpoint: Checkpoint;
  readonly sessions: SessionPool;
  readonly noise: NoiseSource;
  readonly scheduler: SchedulerFactory;
  readonly plugins: readonly Plugin[];
  /** Pictures denoised at once. */
  readonly batchSize: number;
}

export interface PipelineRun {
  readonly request: ResolvedRequest;
  /** The source, upright, at its full size; none in text-to-image. */
  readonly source: Raster8 | undefined;
  /** How far each pixel of the source may change, 0..255, at the source's size; none: every pixel may. */
  readonly mask: Uint8Array | undefined;
  readonly signal: AbortSignal | undefined;
  onProgress(event: ProgressEvent): void;
}

export interface PipelineResult {
  /** All pictures of the first instruction first. */
  readonly pictures: readonly FinishedPicture[];
  readonly warnings: readonly Warning[];
  readonly seconds: Readonly<Record<Stage, number>>;
}

/** An edit from decoded source to finished pictures. */
export interface Pipeline {
  run(run: PipelineRun): Promise<PipelineResult>;
}

/**
 * Puts the stages together: prepare, condition, encode, denoise, decode, restore, with the plugins' hooks round each.
 * @throws {InvalidCheckpointError} when the configs of the components do not fit together.
 */
export function createPipeline(parts: PipelineParts): Pipeline {
  checkChannels(parts.checkpoint);
  const conditioner = createConditioner(parts);
  let projection: LatentProjection | undefined;
  const previewProjection = async (
    sourceLatents: HostTensor<'float32'> | undefined,
    stages: PipelineStages,
  ): Promise<LatentProjection> => {
    if (projection === undefined) {
      const probe = probeLatents(sourceLatents, parts.checkpoint.vae.config.latent_channels);
      projection = fitLatentProjection(probe, await stages.decode(probe));
    }
    return projection;
  };
  return {
    async run({ request, source, mask, signal, onProgress }) {
      const { plugins, checkpoint, sessions } = parts;
      const clock = stageClock();
      const stages = pipelineStages(parts, conditioner, signal);
      const warnings: Warning[] = [];
      const state: { source: Raster8 | undefined; sourceLatents: HostTensor<'float32'> | undefined } = {
        source,
        sourceLatents: undefined,
      };
      const scheduler = parts.scheduler.create(checkpoint.scheduler);
      const schedule = scheduler.setTimesteps(request.numInferenceSteps);
      const stepsATurn = schedule.timesteps.length;
      // Of all turns, and of those that are over.
      let steps = stepsATurn;
      let stepsDone = 0;
      const context: PluginContext = {
        request,
        checkpoint,
        stages,
        signal,
        store: new Map(),
        // Gives nothing back: a hook may end with it, and what a hook gives back takes the value's place.
        warn: (warning) => void warnings.push(warning),
        get source() {
          return state.source;
        },
        get sourceLatents() {
          return state.sourceLatents;
        },
      };
      const enter = (stage: Stage, step = 0, preview?: Raster8): void => {
        clock.enter(stage);
        onProgress({ stage, step: stepsDone + step, steps, ...(preview && { preview }) });
      };

      enter('prepare');
      const input = await runHooks(
        plugins,
        'beforePrepare',
        { image: source, instructions: request.instructions } as PipelineInput,
        context,
      );
      state.source = input.image;
      const prepared = await runHooks(
        plugins,
        'afterPrepare',
        await prepareInput(checkpoint, request, input, signal),
        context,
      );

      enter('condition');
      const asked = await runHooks(plugins, 'beforeCondition', prepared, context);
      const conditioning = await runHooks(
        plugins,
        'afterCondition',
        await stages.condition(asked.instructions, asked.image),
        context,
      );

      /** The stages from encoding to the final latents. */
      const makeLatents = async ({ working, drawn, heard, numImages }: Turn): Promise<HostTensor<'float32'>> => {
        if (working !== undefined) {
          enter('encode');
          const encoded = await stages.encode(await runHooks(plugins, 'beforeEncode', working, context));
          state.sourceLatents = await runHooks(plugins, 'afterEncode', encoded, context);
        }
        enter('denoise');
        const latents = await denoise({
          checkpoint,
          sessions,
          scheduler,
          schedule,
          guidance: planGuidance(request),
          task: request.task,
          noise: await runHooks(plugins, 'beforeDenoise', drawn, context),
          sourceLatents: state.sourceLatents,
          conditioning: heard,
          numImages,
          batchSize: parts.batchSize,
          signal,
          beforeStep: (step) => runHooks(plugins, 'beforeStep', step, context),
          afterStep: async (step) => {
            const after = await runHooks(plugins, 'afterStep', step, context);
            const preview = request.previews
              ? previewLatents(await previewProjection(state.sourceLatents, stages), after.latents)
              : undefined;
            enter('denoise', after.step + 1, preview);
            return after;
          },
        });
        return await runHooks(plugins, 'afterDenoise', latents, context);
      };
      /** Decoding and restoring: a picture of output size. What is said of the whole edit, and the mask, come with its last turn. */
      const makePicture = async (index: number, latents: HostTensor<'float32'>, isLast: boolean): Promise<Raster8> => {
        enter('decode', stepsATurn);
        const own = await runHooks(plugins, 'beforeDecode', { index, value: latents }, context);
        const decoded = await runHooks(
          plugins,
          'afterDecode',
          { index, value: await stages.decode(own.value) },
          context,
        );
        enter('restore', stepsATurn);
        const restoring = { index, decoded: decoded.value, latents: own.value, picture: undefined };
        return await restorePicture({
          request,
          prepared,
          source: input.image,
          mask: isLast ? mask : undefined,
          restored: await runHooks(plugins, 'beforeRestore', restoring, context),
          signal,
          warn: isLast ? context.warn : () => {},
        });
      };

      const drawn = drawNoise(parts, request, prepared);
      for (const turns of conditioning.turns?.values() ?? []) steps += turns.length * request.numImages * stepsATurn;
      const finalLatents = await makeLatents({
        working: prepared.workingImage,
        drawn,
        heard: conditioning,
        numImages: request.numImages,
      });
      const first = { ...state };
      const pictures: FinishedPicture[] = [];
      for (let index = 0; index < (finalLatents.shape[0] as number); index++) {
        Object.assign(state, first);
        const turns = conditioning.turns?.get(Math.floor(index / request.numImages)) ?? [];
        let picture = await makePicture(index, row(finalLatents, index), turns.length === 0);
        for (const [turn, promptEmbeds] of turns.entries()) {
          stepsDone += stepsATurn;
          state.source = picture;
          const latents = await makeLatents({
            working: await stages.toTensor(picture, prepared.bin),
            drawn: row(drawn, index),
            heard: { ...conditioning, promptEmbeds },
            numImages: 1,
          });
          picture = await makePicture(index, latents, turn === turns.length - 1);
        }
        pictures.push(await runHooks(plugins, 'afterRestore', { index, picture, text: {}, xmp: undefined }, context));
      }
      return { pictures, warnings, seconds: clock.stop() };
    },
  };
}

/** One way from a picture to latents. */
interface Turn {
  /** The picture at working size; none in text-to-image. */
  readonly working: HostTensor<'float32'> | undefined;
  readonly drawn: HostTensor<'float32'>;
  readonly heard: Conditioning;
  readonly numImages: number;
}

function checkChannels({ transformer, vae, path }: Checkpoint): void {
  const { in_channels, out_channels, input_condition_type } = transformer.config;
  const { latent_channels } = vae.config;
  const expected = input_condition_type === 'channel_cat' ? 2 * latent_channels : latent_channels;
  const file = `${path}/transformer/config.json`;
  if (in_channels !== expected) {
    throw new InvalidCheckpointError({
      file,
      expected: `in_channels ${expected} (${input_condition_type}, ${latent_channels} latent channels)`,
      received: String(in_channels),
    });
  }
  if (out_channels !== latent_channels && out_channels !== 2 * latent_channels) {
    throw new InvalidCheckpointError({
      file,
      expected: `out_channels ${latent_channels} or ${2 * latent_channels}`,
      received: String(out_channels),
    });
  }
}

function pipelineStages(
  { checkpoint, sessions }: PipelineParts,
  conditioner: Conditioner,
  signal: AbortSignal | undefined,
): PipelineStages {
  const { scaling_factor: scale } = checkpoint.vae.config;
  const compression = compressionOf(checkpoint);
  const options = signal === undefined ? {} : { signal };
  const sizeTensor = (height: number, width: number): HostTensor<'int64'> =>
    hostTensor('int64', [2], BigInt64Array.of(BigInt(height), BigInt(width)));
  return {
    async encode(image) {
      const [, , height, width] = image.shape as readonly [number, number, number, number];
      return await sessions.use('vaeEncoder', options, async (session) => {
        const { latents } = await session.run(
          { image, latent_size: sizeTensor(height / compression, width / compression) },
          options,
        );
        return await scaled(latents as Tensor<'float32'>, (value) => value * scale);
      });
    },
    async decode(latents) {
      const [, , height, width] = latents.shape as readonly [number, number, number, number];
      const unscaled = hostTensor(
        'float32',
        latents.shape,
        latents.values.map((value) => value / scale),
      );
      return await sessions.use('vaeDecoder', options, async (session) => {
        const { image } = await session.run({ latents: unscaled, latent_size: sizeTensor(height, width) }, options);
        return await scaled(image as Tensor<'float32'>, undefined);
      });
    },
    condition: (instructions, image) => conditioner.condition(instructions, image, signal),
    toTensor: (image, size) => pictureTensor(image, size, signal),
  };
}

async function scaled(
  tensor: Tensor<'float32'>,
  map: ((value: number) => number) | undefined,
): Promise<HostTensor<'float32'>> {
  const values = await tensor.data();
  tensor.dispose();
  return hostTensor('float32', tensor.shape, map === undefined ? values : values.map(map));
}

function drawNoise(
  { checkpoint, noise }: PipelineParts,
  request: ResolvedRequest,
  { bin }: PreparedInput,
): HostTensor<'float32'> {
  const { latent_channels } = checkpoint.vae.config;
  const compression = compressionOf(checkpoint);
  const pictures = request.instructions.length * request.numImages;
  return noise
    .create(request.seed)
    .normal({ shape: [pictures, latent_channels, bin.height / compression, bin.width / compression] });
}

/** One picture of a batch, [1, ...]. */
function row(batch: HostTensor<'float32'>, index: number): HostTensor<'float32'> {
  const [count, ...rest] = batch.shape as readonly [number, ...number[]];
  const size = batch.values.length / count;
  return hostTensor('float32', [1, ...rest], batch.values.slice(index * size, (index + 1) * size));
}

/** Adds up the time of each stage. */
function stageClock(): { enter(stage: Stage): void; stop(): Record<Stage, number> } {
  const seconds = Object.fromEntries(STAGES.map((stage) => [stage, 0])) as Record<Stage, number>;
  let current: Stage | undefined;
  let since = performance.now();
  const enter = (stage: Stage | undefined): void => {
    const now = performance.now();
    if (current !== undefined) seconds[current] += (now - since) / 1000;
    current = stage;
    since = now;
  };
  return {
    enter,
    stop() {
      enter(undefined);
      return seconds;
    },
  };
}
