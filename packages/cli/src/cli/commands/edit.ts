import { resolve } from 'node:path';
import type { EditRequest } from '@vibe-edit/core';
import { type Command, Option } from 'commander';
import type { CliIo } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import { expandInputs, kindOf, requirePicture, STANDARD_STREAM } from '../expand-inputs.js';
import { makePictures } from '../make-pictures.js';
import { collected, decimalNumber } from '../option-parsers.js';
import { prepareOutputs, requireUsableStream } from '../output-files.js';
import { planOutputs } from '../plan-outputs.js';
import { readStdin } from '../read-stdin.js';
import type { Services } from '../services.js';
import { type PictureOptions, pictureRequest } from '../shared-options.js';
import { UsageError } from '../usage-error.js';

export interface EditOptions extends PictureOptions {
  readonly instruction?: readonly string[];
  readonly imageGuidanceScale?: number;
  readonly mask?: string;
  readonly preserve?: 'off' | 'tone' | 'auto';
  readonly geometry?: 'exact' | 'reference' | 'pipeline';
}

export function describeEdit(command: Command): Command {
  return command
    .description('change pictures as an instruction says')
    .usage('[options] <picture...> <instruction>')
    .argument('<picture...>', 'files, patterns, or - for standard input; the last argument is the instruction')
    .option(
      '-i, --instruction <text>',
      'an instruction; give it again for more; then all arguments are pictures',
      collected,
    )
    .option('--image-guidance-scale <x>', "weight of the source (default: the checkpoint's)", decimalNumber(0, 100))
    .option('--mask <path>', 'picture that is white where pixels may change and black where they stay')
    .addOption(
      choice('--preserve <how>', "how far the source is kept (default: the checkpoint's)", ['off', 'tone', 'auto']),
    )
    .addOption(
      choice('--geometry <how>', 'how the source is fitted to the model (default: exact)', [
        'exact',
        'reference',
        'pipeline',
      ]),
    )
    .addHelpText(
      'after',
      `
Examples:
  $ vibe-edit edit photo.jpg "make it warmer" -o out.png
  $ vibe-edit edit "holiday/*.jpg" "black and white" -o edited/
  $ vibe-edit edit photo.jpg -i "make it warmer" -i "make it cooler"
  $ vibe-edit edit - "more contrast" < photo.jpg > out.png`,
    );
}

/** `vibe-edit edit`. */
export async function edit({
  args,
  options,
  io,
  services,
}: {
  args: readonly string[];
  options: EditOptions;
  io: CliIo;
  services: Services;
}): Promise<CommandOutcome> {
  const { pictures, instructions } = await splitArguments(args, options, io.cwd);
  const inputs = await expandInputs({ inputs: pictures, cwd: io.cwd });
  const { output, mask } = options;
  if (mask === STANDARD_STREAM && inputs.includes(mask))
    throw new UsageError('Expected - (standard input) for the picture or the mask');
  if (mask !== undefined && mask !== STANDARD_STREAM) await requirePicture(mask, io.cwd);

  const plan = planOutputs({
    inputs,
    instructions,
    count: options.count,
    output,
    format: options.format,
    outputIsFolder: output !== undefined && (await kindOf(resolve(io.cwd, output))) === 'folder',
  });
  const outputs = plan.flat();
  requireUsableStream({ outputs, stdout: io.stdout, json: options.json === true });
  await prepareOutputs({ outputs, inputs, cwd: io.cwd, force: options.force === true });

  const read = async (path: string): Promise<string | Uint8Array> =>
    path === STANDARD_STREAM ? await readStdin(io) : resolve(io.cwd, path);
  const maskInput = mask === undefined ? undefined : await read(mask);
  return makePictures({
    options,
    io,
    openEditor: () => services.openEditor(options),
    tasks: inputs.map((input, index) => ({
      input,
      outputs: plan[index] ?? [],
      run: async (editor, onProgress) =>
        editor.edit({
          ...editRequest(options),
          image: await read(input),
          instruction: instructions,
          ...(maskInput !== undefined && { mask: maskInput }),
          signal: io.signal,
          onProgress,
        }),
    })),
  });
}

/** Which arguments are pictures and which is the instruction. */
async function splitArguments(
  args: readonly string[],
  { instruction }: EditOptions,
  cwd: string,
): Promise<{ pictures: readonly string[]; instructions: readonly string[] }> {
  if (instruction !== undefined) return { pictures: args, instructions: instruction };
  const last = args.at(-1);
  if (last === undefined || args.length < 2)
    throw new UsageError('Expected a picture and an instruction but received one argument');
  // A pattern that the shell expanded, with the instruction forgotten, would take a picture's name for one.
  if (last === STANDARD_STREAM || (await kindOf(resolve(cwd, last))) === 'file') {
    throw new UsageError(`Expected an instruction after the pictures but received the picture ${last}`);
  }
  return { pictures: args.slice(0, -1), instructions: [last] };
}

function editRequest(options: EditOptions): Omit<EditRequest, 'image' | 'instruction'> {
  return {
    ...pictureRequest(options),
    ...(options.imageGuidanceScale !== undefined && { imageGuidanceScale: options.imageGuidanceScale }),
    ...(options.preserve !== undefined && { preserve: options.preserve }),
    ...(options.geometry !== undefined && { geometry: options.geometry }),
  };
}

function choice(flags: string, description: string, choices: readonly string[]): Option {
  return new Option(flags, description).choices(choices);
}
