import {
  type ImageModelV3CallOptions,
  InvalidArgumentError,
  InvalidPromptError,
  type SharedV3Warning,
  UnsupportedFunctionalityError,
} from '@ai-sdk/provider';
import { type ParsedImageOptions, PROVIDER, parseImageOptions } from './image-options.js';
import type { PictureFile } from './image-service.js';
import { loadPicture } from './load-picture.js';

/** Options of ours that mean nothing without a picture to edit. */
const FOR_EDITS = ['imageGuidanceScale', 'preserve', 'geometry'] as const;

/** A call of the AI SDK, checked, its pictures at hand. */
export interface ImageCall {
  readonly instruction: string;
  readonly picture: PictureFile | undefined;
  readonly mask: PictureFile | undefined;
  readonly count: number;
  readonly seed: number | undefined;
  readonly size: { readonly width: number; readonly height: number } | undefined;
  readonly options: ParsedImageOptions;
  readonly warnings: readonly SharedV3Warning[];
}

/**
 * Checks what the AI SDK hands over and loads the pictures.
 * @throws {InvalidArgumentError} {InvalidPromptError} {UnsupportedFunctionalityError} {DownloadError}
 */
export async function readImageCall(call: ImageModelV3CallOptions): Promise<ImageCall> {
  const { prompt, files = [], mask } = call;
  if (prompt === undefined || prompt.trim() === '') {
    throw new InvalidPromptError({ prompt, message: 'Expected a text that says what to change or to show' });
  }
  if (files.length > 1) {
    const message = `Expected one picture to edit but received ${files.length}`;
    throw new UnsupportedFunctionalityError({ functionality: 'several input pictures', message });
  }
  const [file] = files;
  if (mask !== undefined && file === undefined) {
    const message = 'Expected a picture that the mask belongs to but received none';
    throw new InvalidArgumentError({ argument: 'prompt.images', message });
  }
  // An absent setting reaches a model as undefined, from other callers than generateImage also as null.
  const seed = call.seed ?? undefined;
  const size = call.size == null ? undefined : parseSize(call.size);
  const { options, warnings } = usableOptions(call, file === undefined);
  checkNumbers(call.n, seed);
  const signal = call.abortSignal;
  const [picture, maskPicture] = await Promise.all([
    file && loadPicture(file, { argument: 'prompt.images', signal }),
    mask && loadPicture(mask, { argument: 'prompt.mask', signal }),
  ]);
  return { instruction: prompt, picture, mask: maskPicture, count: call.n, seed, size, options, warnings };
}

function usableOptions(
  { aspectRatio, providerOptions }: ImageModelV3CallOptions,
  generates: boolean,
): { options: ParsedImageOptions; warnings: SharedV3Warning[] } {
  const warnings: SharedV3Warning[] = [];
  const warn = (feature: string, details: string) => warnings.push({ type: 'unsupported', feature, details });
  if (aspectRatio != null) {
    warn('aspectRatio', generates ? 'Use size instead' : 'An edit has the ratio of its source');
  }
  const options = { ...parseImageOptions(providerOptions?.[PROVIDER]) };
  for (const name of Object.keys(options) as (keyof ParsedImageOptions)[]) {
    const feature = `providerOptions.${PROVIDER}.${name}`;
    if (options[name] === undefined || !generates || !(FOR_EDITS as readonly string[]).includes(name)) continue;
    warn(feature, 'It is for edits');
    delete options[name];
  }
  return { options, warnings };
}

function parseSize(size: string): { width: number; height: number } {
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size) ?? [];
  if (width !== undefined && height !== undefined) return { width: Number(width), height: Number(height) };
  const message = `Expected a size like 1024x768 for size but received ${JSON.stringify(size)}`;
  throw new InvalidArgumentError({ argument: 'size', message });
}

function checkNumbers(n: number, seed: number | undefined): void {
  if (!Number.isSafeInteger(n) || n < 1) {
    throw new InvalidArgumentError({
      argument: 'n',
      message: `Expected a whole number from 1 for n but received ${n}`,
    });
  }
  if (seed === undefined || (Number.isSafeInteger(seed) && seed >= 0)) return;
  const message = `Expected a whole number from 0 to 2^53 - 1 for seed but received ${seed}`;
  throw new InvalidArgumentError({ argument: 'seed', message });
}
