import { dirname, extname, join, parse, resolve } from 'node:path';
import type { ImageFormat } from '@vibe-edit/core';
import { STANDARD_STREAM } from './expand-inputs.js';
import { UsageError } from './usage-error.js';

export const FORMATS = ['png', 'jpeg', 'webp', 'avif'] as const satisfies readonly ImageFormat[];

const FORMAT_BY_EXTENSION: Readonly<Record<string, ImageFormat>> = {
  '.png': 'png',
  '.jpg': 'jpeg',
  '.jpeg': 'jpeg',
  '.webp': 'webp',
  '.avif': 'avif',
};

const EXTENSION_BY_FORMAT: Readonly<Record<ImageFormat, string>> = {
  png: '.png',
  jpeg: '.jpg',
  webp: '.webp',
  avif: '.avif',
};

/** Longest part of a file name that comes from an instruction, in characters. */
const MAX_SLUG_LENGTH = 40;

/** Where one result goes. */
export interface PlannedOutput {
  /** Path as it is shown: relative where it was given so; `-` is standard output. */
  readonly path: string;
  readonly format: ImageFormat;
  /** The user wrote this very name, and not just a folder for it. */
  readonly named: boolean;
}

export interface PlanOutputsOptions {
  /** Paths of the sources, `-` among them; undefined where results have no source. */
  readonly inputs: readonly (string | undefined)[];
  readonly instructions: readonly string[];
  /** Results an instruction. */
  readonly count: number;
  /** `--output`: a file, a folder, or `-`. */
  readonly output: string | undefined;
  /** `--format`. */
  readonly format: ImageFormat | undefined;
  /** Whether `output` is a folder that is there already. */
  readonly outputIsFolder: boolean;
}

/**
 * Decides where every result goes, before any work is done. For each input: the results of the first instruction first.
 *
 * - one result and `--output FILE`: that file
 * - several results and `--output FILE`: FILE with a number before its extension
 * - `--output FOLDER` (it is there, ends with a slash, or has no picture's extension while there are several results): names of our own in it
 * - no `--output`: names of our own beside the source; standard output where the source is standard input
 *
 * @throws {UsageError} when the options contradict each other.
 */
export function planOutputs(options: PlanOutputsOptions): PlannedOutput[][] {
  const { inputs, instructions, count, output } = options;
  const total = inputs.length * instructions.length * count;
  const toStream = output === STANDARD_STREAM || (output === undefined && inputs.includes(STANDARD_STREAM));
  if (toStream) return [[streamOutput(options, total)]];
  if (output !== undefined && !isFolderName(options, total)) return namedOutputs(options, output, total);

  const taken = new Set<string>();
  return inputs.map((input) => {
    const folder = output ?? (input === undefined ? '' : dirname(input));
    const stem = input === undefined || input === STANDARD_STREAM ? '' : parse(input).name;
    const format = options.format ?? formatOf(input) ?? 'png';
    return instructions.flatMap((instruction) =>
      Array.from({ length: count }, () => {
        const base = [stem, slug(instruction)].filter((part) => part !== '').join('-') || 'picture';
        return { path: freeName(folder, base, EXTENSION_BY_FORMAT[format], taken), format, named: false };
      }),
    );
  });
}

function streamOutput({ output, format, inputs }: PlanOutputsOptions, total: number): PlannedOutput {
  if (total > 1) {
    const what = output === STANDARD_STREAM ? 'standard output takes one' : 'name a folder with --output';
    throw new UsageError(`Expected one result but there are ${total}: ${what}`);
  }
  return { path: STANDARD_STREAM, format: format ?? formatOf(inputs[0]) ?? 'png', named: true };
}

/** Results in a file that the user named, numbered where there are several. */
function namedOutputs(
  { inputs, instructions, count, format }: PlanOutputsOptions,
  output: string,
  total: number,
): PlannedOutput[][] {
  const extension = extname(output);
  const ofName = formatOf(output);
  if (format === undefined && ofName === undefined) {
    const known = Object.keys(FORMAT_BY_EXTENSION).join(', ');
    throw new UsageError(`Expected a file that ends with ${known} for --output, or --format, but received ${output}`);
  }
  if (format !== undefined && ofName !== undefined && format !== ofName) {
    throw new UsageError(`Expected one format but --format says ${format} and --output ${output}`);
  }
  const stem = output.slice(0, output.length - extension.length);
  let number = 0;
  return inputs.map(() =>
    Array.from({ length: instructions.length * count }, () => {
      number += 1;
      const path = total === 1 ? output : `${stem}-${number}${extension}`;
      return { path, format: format ?? ofName ?? 'png', named: true };
    }),
  );
}

function isFolderName({ output = '', outputIsFolder }: PlanOutputsOptions, total: number): boolean {
  return outputIsFolder || /[/\\]$/.test(output) || (total > 1 && formatOf(output) === undefined);
}

function formatOf(path: string | undefined): ImageFormat | undefined {
  return path === undefined ? undefined : FORMAT_BY_EXTENSION[extname(path).toLowerCase()];
}

/** `Make it warmer!` to `make-it-warmer`. */
function slug(instruction: string): string {
  const words =
    instruction
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{Letter}\p{Mark}\p{Number}]+/gu) ?? [];
  let result = '';
  for (const word of words) {
    const longer = result === '' ? word : `${result}-${word}`;
    if (longer.length > MAX_SLUG_LENGTH) break;
    result = longer;
  }
  return result || (words[0] ?? '').slice(0, MAX_SLUG_LENGTH);
}

function freeName(folder: string, base: string, extension: string, taken: Set<string>): string {
  for (let number = 1; ; number++) {
    const path = join(folder, `${base}${number === 1 ? '' : `-${number}`}${extension}`);
    const key = resolve(path);
    if (taken.has(key)) continue;
    taken.add(key);
    return path;
  }
}
