import type { GenerateRequest, ImageFormat } from '@vibe-edit/core';
import { type Command, Option } from 'commander';
import { BACKEND_NAMES, type BackendName } from './backends.js';
import { decimalNumber, imageSize, wholeNumber } from './option-parsers.js';
import { FORMATS } from './plan-outputs.js';

/** Options that every command takes. */
export interface CommonOptions {
  readonly json?: true;
  readonly debug?: true;
}

/** Options of the commands that make pictures. */
export interface PictureOptions extends CommonOptions {
  readonly output?: string;
  readonly format?: ImageFormat;
  readonly quality?: number;
  readonly force?: true;
  readonly checkpoint?: string;
  readonly backend: BackendName;
  readonly seed?: number;
  readonly steps?: number;
  readonly guidanceScale?: number;
  readonly size?: { width: number; height: number };
  readonly count: number;
  readonly provenance?: true;
}

export function addCommonOptions(command: Command): Command {
  return command
    .option('--json', 'print one JSON document on standard output')
    .option('--debug', 'show where an error comes from');
}

export function addPictureOptions(command: Command): Command {
  return command
    .option('-o, --output <path>', 'file or folder for the result; - is standard output')
    .addOption(
      new Option('--format <format>', 'format of the result (default: by the name of the output)').choices(FORMATS),
    )
    .option('--quality <1-100>', 'quality of JPEG, WebP and AVIF', wholeNumber(1, 100))
    .option('--force', 'replace files that are there already')
    .option('--checkpoint <checkpoint>', 'folder, or OWNER/REPO[@REVISION] that was pulled (default: the embedded one)')
    .addOption(
      new Option('--backend <backend>', 'what runs the model').choices(BACKEND_NAMES).default(BACKEND_NAMES[0]),
    )
    .option('--seed <n>', 'seed of the noise (default: 42)', wholeNumber(0, Number.MAX_SAFE_INTEGER))
    .option('--steps <n>', "denoising steps (default: the checkpoint's)", wholeNumber(1, 1000))
    .option('--guidance-scale <x>', "weight of the instruction (default: the checkpoint's)", decimalNumber(0, 100))
    .option('--size <WxH>', 'size of the result in pixels, e.g. 1024x768', imageSize)
    .option('--count <n>', 'pictures for each instruction', wholeNumber(1, 64), 1)
    .option('--provenance', 'write instruction, seed and checkpoint into the picture');
}

/** The part of a request that edits and generations share. */
export function pictureRequest(options: PictureOptions): Omit<GenerateRequest, 'instruction'> {
  return {
    numImages: options.count,
    ...(options.seed !== undefined && { seed: options.seed }),
    ...(options.steps !== undefined && { numInferenceSteps: options.steps }),
    ...(options.guidanceScale !== undefined && { guidanceScale: options.guidanceScale }),
    ...(options.size !== undefined && { size: options.size }),
  };
}
