import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { CliIo } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import { kindOf } from '../expand-inputs.js';
import { makePictures } from '../make-pictures.js';
import { prepareOutputs, requireUsableStream } from '../output-files.js';
import { planOutputs } from '../plan-outputs.js';
import type { Services } from '../services.js';
import { type PictureOptions, pictureRequest } from '../shared-options.js';

export function describeGenerate(command: Command): Command {
  return command
    .description('make a picture from a description')
    .argument('<description>', 'what the picture shows')
    .addHelpText(
      'after',
      `
The embedded checkpoint only edits; pull another one for this.

Example:
  $ vibe-edit generate "a lighthouse at dusk" --checkpoint OWNER/REPO -o lighthouse.png`,
    );
}

/** `vibe-edit generate`. */
export async function generate({
  args: [description = ''],
  options,
  io,
  services,
}: {
  args: readonly string[];
  options: PictureOptions;
  io: CliIo;
  services: Services;
}): Promise<CommandOutcome> {
  const { output } = options;
  const [outputs = []] = planOutputs({
    inputs: [undefined],
    instructions: [description],
    count: options.count,
    output,
    format: options.format,
    outputIsFolder: output !== undefined && (await kindOf(resolve(io.cwd, output))) === 'folder',
  });
  requireUsableStream({ outputs, stdout: io.stdout, json: options.json === true });
  await prepareOutputs({ outputs, inputs: [], cwd: io.cwd, force: options.force === true });
  return makePictures({
    options,
    io,
    openEditor: () => services.openEditor(options),
    tasks: [
      {
        input: undefined,
        outputs,
        run: (editor, onProgress) =>
          editor.generate({ ...pictureRequest(options), instruction: description, signal: io.signal, onProgress }),
      },
    ],
  });
}
