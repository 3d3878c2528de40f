import type { Checkpoint } from './checkpoint/checkpoint.js';
import type { EditRequest, GenerateRequest } from './editor-types.js';
import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import type { ResolvedRequest } from './pipeline/request.js';

const DEFAULT_SEED = 42;
/** Largest whole number that a number holds exactly. torch takes 64 bits, of which its CPU generator uses the lower 32. */
const MAX_SEED = Number.MAX_SAFE_INTEGER;
const MAX_STEPS = 1000;
const MAX_IMAGES = 64;
const MAX_INSTRUCTIONS = 64;
const MAX_SIDE = 16_384;
/** Side of a generated picture when none is asked for, as the authors'. */
const DEFAULT_SIDE = 1024;

/**
 * Checks a request and fills in the checkpoint's defaults.
 * @throws {InvalidArgumentError} naming the first value that is not what it should be.
 */
export function resolveRequest(
  task: 'edit' | 'generate',
  request: Omit<EditRequest, 'image'> | GenerateRequest,
  checkpoint: Checkpoint,
): ResolvedRequest {
  const { defaults } = checkpoint;
  const edit: Partial<EditRequest> = task === 'edit' ? request : {};
  return {
    task,
    instructions: instructionList(request.instruction),
    seed: integer('seed', request.seed ?? DEFAULT_SEED, 0, MAX_SEED),
    numInferenceSteps: integer(
      'numInferenceSteps',
      request.numInferenceSteps ?? defaults.numInferenceSteps,
      1,
      MAX_STEPS,
    ),
    guidanceScale: scale('guidanceScale', request.guidanceScale ?? defaults.guidanceScale),
    imageGuidanceScale: scale('imageGuidanceScale', edit.imageGuidanceScale ?? defaults.imageGuidanceScale),
    numImages: integer('numImages', request.numImages ?? 1, 1, MAX_IMAGES),
    size: requestedSize(request.size) ?? (task === 'generate' ? defaultSize(checkpoint) : undefined),
    geometry: choice('geometry', edit.geometry ?? (task === 'edit' ? 'exact' : 'pipeline'), [
      'exact',
      'reference',
      'pipeline',
    ]),
    preserve: choice('preserve', edit.preserve ?? (task === 'edit' ? defaults.preserve : 'off'), [
      'off',
      'tone',
      'auto',
    ]),
    previews: request.previews ?? false,
  };
}

function instructionList(instruction: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(instruction) ? instruction : [instruction];
  if (list.length === 0 || list.length > MAX_INSTRUCTIONS) {
    throw new InvalidArgumentError({
      argument: 'instruction',
      expected: `1 to ${MAX_INSTRUCTIONS} sentences`,
      received: String(list.length),
    });
  }
  return list.map((item) => {
    if (typeof item === 'string' && item.trim() !== '') return item;
    const received = typeof item === 'string' ? 'an empty string' : typeof item;
    throw new InvalidArgumentError({ argument: 'instruction', expected: 'a sentence', received });
  });
}

function integer(argument: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
  throw new InvalidArgumentError({
    argument,
    expected: `a whole number from ${min} to ${max}`,
    received: String(value),
  });
}

function scale(argument: string, value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0 && value <= 100) return value;
  throw new InvalidArgumentError({ argument, expected: 'a number from 0 to 100', received: String(value) });
}

function choice<Option extends string>(argument: string, value: unknown, options: readonly Option[]): Option {
  const found = options.find((option) => option === value);
  if (found !== undefined) return found;
  throw new InvalidArgumentError({ argument, expected: options.join(' or '), received: String(value) });
}

function requestedSize(size: unknown): ResolvedRequest['size'] {
  if (size === undefined) return undefined;
  const { width, height } = (size ?? {}) as { width?: unknown; height?: unknown };
  return { width: integer('size.width', width, 1, MAX_SIDE), height: integer('size.height', height, 1, MAX_SIDE) };
}

function defaultSize({ transformer, vae }: Checkpoint): { width: number; height: number } {
  const own = transformer.config.sample_size * 2 ** (vae.config.encoder_block_out_channels.length - 1);
  const side = Math.min(own, DEFAULT_SIDE);
  return { width: side, height: side };
}
