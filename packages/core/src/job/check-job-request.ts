import { createHash } from 'node:crypto';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { BlobReference } from './blob-store.js';
import type { JobRequest } from './job.js';

const MAX_NAME = 256;
const MAX_OUTBOX = 64;
const MAX_INSTRUCTION = 4000;
const MAX_METADATA_BYTES = 16 * 1024;
const MAX_SECONDS = 10 * 365 * 24 * 60 * 60;
const KEY = /^[A-Za-z0-9_-]{1,128}$/;
const JOB_ID = /^[0-9a-f]{32}$/;

/**
 * The request as a plain copy that no later change reaches. The editor's settings are checked for their types and bounds when the job
 * runs too; here for everything that is wrong whatever the checkpoint.
 * @throws {InvalidArgumentError} naming the first value that is not what it should be.
 */
export function checkJobRequest(request: JobRequest): JobRequest {
  const { kind, image, mask, parent, priority, idempotencyKey, metadata, expiresInSeconds, retentionSeconds } = request;
  if (kind !== 'edit' && kind !== 'generate') fail('kind', 'edit or generate', kind);
  name('user', request.user);
  const instructions: readonly unknown[] = Array.isArray(request.instruction)
    ? request.instruction
    : [request.instruction];
  bounded('instruction', instructions.length, 1, 64, 'sentences');
  for (const instruction of instructions) sentence(instruction);
  if (kind === 'edit') reference('image', image);
  else if (image !== undefined) fail('image', 'no picture with generate', 'one');
  if (mask !== undefined) {
    if (kind === 'generate') fail('mask', 'no mask with generate', 'one');
    reference('mask', mask);
  }
  settings(request);
  if (priority !== undefined) integer('priority', priority, -100, 100);
  if (idempotencyKey !== undefined) name('idempotencyKey', idempotencyKey);
  if (request.outbox !== undefined) name('outbox', request.outbox, MAX_OUTBOX);
  if (parent !== undefined && !JOB_ID.test(String(parent))) fail('parent', 'the id of a job', parent);
  if (expiresInSeconds !== undefined) seconds('expiresInSeconds', expiresInSeconds);
  if (retentionSeconds !== undefined) seconds('retentionSeconds', retentionSeconds);
  if (metadata !== undefined && (typeof metadata !== 'object' || metadata === null || Array.isArray(metadata)))
    fail('metadata', 'an object', metadata);
  let text: string;
  try {
    text = JSON.stringify(request);
    if (metadata !== undefined) {
      const bytes = Buffer.byteLength(JSON.stringify(metadata));
      if (bytes > MAX_METADATA_BYTES) fail('metadata', `at most ${MAX_METADATA_BYTES} bytes as JSON`, `${bytes}`);
    }
  } catch (cause) {
    if (cause instanceof InvalidArgumentError) throw cause;
    throw new InvalidArgumentError({ argument: 'request', expected: 'plain data', received: String(cause), cause });
  }
  return JSON.parse(text) as JobRequest;
}

/** Equal for requests that ask for the same: blob keys do not count, the bytes behind them do. */
export function fingerprintOf(request: JobRequest): string {
  const { idempotencyKey: _, ...rest } = request;
  const text = JSON.stringify(rest, (name, value: unknown) => {
    if ((name === 'image' || name === 'mask') && value !== undefined) return (value as BlobReference).sha256;
    // Order of keys carries no meaning.
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
    return value;
  });
  return createHash('sha256').update(text).digest('hex');
}

function settings({ kind, settings = {}, output = {}, previews }: JobRequest): void {
  object('settings', settings);
  object('output', output);
  const { seed, numInferenceSteps, guidanceScale, imageGuidanceScale, numImages, size, geometry, preserve } = settings;
  if (seed !== undefined) integer('settings.seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (numInferenceSteps !== undefined) integer('settings.numInferenceSteps', numInferenceSteps, 1, 1000);
  if (guidanceScale !== undefined) number('settings.guidanceScale', guidanceScale, 0, 100);
  if (imageGuidanceScale !== undefined) number('settings.imageGuidanceScale', imageGuidanceScale, 0, 100);
  if (numImages !== undefined) integer('settings.numImages', numImages, 1, 64);
  if (size !== undefined) {
    object('settings.size', size);
    integer('settings.size.width', size.width, 1, 16_384);
    integer('settings.size.height', size.height, 1, 16_384);
  }
  choice('settings.geometry', geometry, ['exact', 'reference', 'pipeline']);
  choice('settings.preserve', preserve, ['off', 'tone', 'auto']);
  if (kind === 'generate') {
    for (const key of ['imageGuidanceScale', 'geometry', 'preserve'] as const)
      if (settings[key] !== undefined) fail(`settings.${key}`, 'nothing with generate', settings[key]);
  }
  choice('output.format', output.format, ['png', 'jpeg', 'webp', 'avif']);
  if (output.quality !== undefined) integer('output.quality', output.quality, 1, 100);
  if (previews !== undefined && typeof previews !== 'boolean') fail('previews', 'true or false', previews);
}

function reference(argument: string, value: unknown): void {
  const { key, mediaType, bytes, sha256 } = (value ?? {}) as Partial<BlobReference>;
  if (
    typeof key !== 'string' ||
    !KEY.test(key) ||
    typeof mediaType !== 'string' ||
    mediaType.length > MAX_NAME ||
    typeof bytes !== 'number' ||
    !/^[0-9a-f]{64}$/.test(String(sha256))
  )
    fail(argument, 'the reference of a stored blob', value);
}

function sentence(value: unknown): void {
  if (typeof value !== 'string' || value.trim() === '') fail('instruction', 'a sentence', value);
  if ((value as string).length > MAX_INSTRUCTION)
    fail('instruction', `at most ${MAX_INSTRUCTION} characters`, `${(value as string).length}`);
}

function name(argument: string, value: unknown, max = MAX_NAME): void {
  if (typeof value !== 'string' || value === '' || value.length > max)
    fail(argument, `1 to ${max} characters`, typeof value === 'string' ? `${value.length}` : value);
}

function seconds(argument: string, value: unknown): void {
  if (typeof value !== 'number' || !(value > 0 && value <= MAX_SECONDS))
    fail(argument, `a number of seconds up to ${MAX_SECONDS}`, value);
}

function integer(argument: string, value: unknown, min: number, max: number): void {
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max)
    fail(argument, `a whole number from ${min} to ${max}`, value);
}

function number(argument: string, value: unknown, min: number, max: number): void {
  if (typeof value !== 'number' || !(value >= min && value <= max))
    fail(argument, `a number from ${min} to ${max}`, value);
}

function bounded(argument: string, value: number, min: number, max: number, unit: string): void {
  if (value < min || value > max) fail(argument, `${min} to ${max} ${unit}`, `${value}`);
}

function choice(argument: string, value: unknown, options: readonly string[]): void {
  if (value !== undefined && !options.includes(value as string)) fail(argument, options.join(' or '), value);
}

function object(argument: string, value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(argument, 'an object', value);
}

function fail(argument: string, expected: string, received: unknown): never {
  const text = typeof received === 'object' && received !== null ? 'something else' : String(received).slice(0, 100);
  throw new InvalidArgumentError({ argument, expected, received: text });
}
