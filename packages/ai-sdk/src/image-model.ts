import type { ImageModelV3, ImageModelV3CallOptions, SharedV3Warning } from '@ai-sdk/provider';
import { type ImageCall, readImageCall } from './image-call.js';
import { PROVIDER } from './image-options.js';
import type { ImageService, MadePicture } from './image-service.js';

/** Pictures that are asked for at a time, in this process as on a server, so that a seed gives the same ones in both. */
const PICTURES_AT_A_TIME = 10;

/**
 * The image model over a service.
 *
 * The AI SDK splits what a model cannot make in one call into calls with one and the same seed, whose pictures are then the same too. So
 * this model takes any number and splits it itself, each part with a seed of its own.
 */
export function createImageModel({ modelId, service }: { modelId: string; service: ImageService }): ImageModelV3 {
  return {
    specificationVersion: 'v3',
    provider: `${PROVIDER}.image`,
    modelId,
    maxImagesPerCall: Number.MAX_SAFE_INTEGER,
    async doGenerate(options) {
      const timestamp = new Date();
      try {
        const made = await makeAll(service, options);
        const { pictures, warnings, headers } = made;
        return {
          // All of one service, so all of one kind.
          images: pictures.map(({ data }) => data) as string[] | Uint8Array[],
          warnings,
          providerMetadata: {
            [PROVIDER]: { images: pictures.map(({ seed, width, height }) => ({ seed, width, height })) },
          },
          response: { timestamp, modelId, headers },
        };
      } catch (error) {
        // Whatever the abort broke on its way: the caller gets the reason, as from fetch.
        options.abortSignal?.throwIfAborted();
        throw error;
      }
    },
  };
}

interface SeededPicture extends MadePicture {
  readonly seed: number;
}

async function makeAll(service: ImageService, options: ImageModelV3CallOptions) {
  const { abortSignal: signal } = options;
  signal?.throwIfAborted();
  const { count, seed: wantedSeed, warnings: found, ...call } = await readImageCall(options);
  const firstSeed = wantedSeed ?? randomSeed();
  const pictures: SeededPicture[] = [];
  const warnings: SharedV3Warning[] = [...found];
  let headers: Record<string, string> | undefined;
  while (pictures.length < count) {
    signal?.throwIfAborted();
    const seed = laterSeed(firstSeed, pictures.length);
    const answer = await service.make({
      ...call,
      count: Math.min(PICTURES_AT_A_TIME, count - pictures.length),
      seed,
      headers: options.headers,
      signal,
    });
    pictures.push(...answer.pictures.map((picture) => ({ ...picture, seed })));
    warnings.push(...answer.warnings);
    headers ??= answer.headers;
  }
  warnings.push(...sizeWarnings(call, pictures[0]));
  return { pictures, warnings: distinct(warnings), headers };
}

function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** Seeds go round at 2^53, beyond which a number is no longer exact. */
function laterSeed(seed: number, offset: number): number {
  return seed <= Number.MAX_SAFE_INTEGER - offset ? seed + offset : seed - Number.MAX_SAFE_INTEGER + offset - 1;
}

/** Says so when a picture has another size than was asked for. */
function sizeWarnings({ size }: Pick<ImageCall, 'size'>, made: MadePicture | undefined): SharedV3Warning[] {
  if (size === undefined || made === undefined) return [];
  if (made.width === size.width && made.height === size.height) return [];
  const details = `The result fits inside ${size.width}x${size.height}: it is ${made.width}x${made.height}`;
  return [{ type: 'compatibility', feature: 'size', details }];
}

function distinct(warnings: readonly SharedV3Warning[]): SharedV3Warning[] {
  return [...new Map(warnings.map((warning) => [JSON.stringify(warning), warning])).values()];
}
