import { basename } from 'node:path';
import type { Editor, EditResult, ImageFormat, ProgressEvent } from '@vibe-edit/core';
import { throwIfAborted } from '@vibe-edit/core/runtime';
import { type CliIo, write } from './cli-io.js';
import type { CommandOutcome } from './command-outcome.js';
import { type ExitReason, exitReason } from './exit-codes.js';
import { STANDARD_STREAM } from './expand-inputs.js';
import { formatSeconds } from './format-amounts.js';
import { coloursFor, errorJson, errorText } from './messages.js';
import { writeOutput } from './output-files.js';
import type { PlannedOutput } from './plan-outputs.js';
import { createProgressDisplay } from './progress-bar.js';
import type { PictureOptions } from './shared-options.js';

/** One request to the editor and where its results go. */
export interface PictureTask {
  /** The source as it was named; undefined where there is none. */
  readonly input: string | undefined;
  readonly outputs: readonly PlannedOutput[];
  run(editor: Editor, onProgress: (event: ProgressEvent) => void): Promise<EditResult>;
}

export interface MakePicturesOptions {
  readonly tasks: readonly PictureTask[];
  readonly openEditor: () => Promise<Editor>;
  readonly options: PictureOptions;
  readonly io: CliIo;
}

/** One picture in the JSON document. */
interface WrittenPicture {
  readonly path: string;
  readonly instruction: string;
  readonly width: number;
  readonly height: number;
  readonly format: ImageFormat;
}

/**
 * Carries out tasks one after the other, writes their results and reports them. A source that cannot be read does not stop
 * the others; anything else does.
 */
export async function makePictures({ tasks, openEditor, options, io }: MakePicturesOptions): Promise<CommandOutcome> {
  const results: object[] = [];
  let reason: ExitReason | undefined;
  let editor: Editor | undefined;
  try {
    throwIfAborted(io.signal);
    editor = await openEditor();
    for (const [index, task] of tasks.entries()) {
      throwIfAborted(io.signal);
      const title = tasks.length === 1 ? '' : `[${index + 1}/${tasks.length}] `;
      try {
        results.push(await makePicture({ task, editor, options, io, title }));
      } catch (error) {
        if (tasks.length === 1 || exitReason(error) !== 'input') throw error;
        reason ??= exitReason(error);
        results.push({ input: task.input, error: errorJson(error) });
        const { red } = coloursFor(io.stderr, io.environment);
        await write(io.stderr, `${red(`${task.input}:`)} ${errorText(error, options.debug === true)}\n`);
      }
    }
    return { document: { results }, ...(reason !== undefined && { reason }) };
  } catch (error) {
    return { document: { results }, error };
  } finally {
    await editor?.close();
  }
}

async function makePicture({
  task,
  editor,
  options,
  io,
  title,
}: {
  task: PictureTask;
  editor: Editor;
  options: PictureOptions;
  io: CliIo;
  title: string;
}): Promise<object> {
  const progress = createProgressDisplay(io.stderr, `${title}${basename(task.input ?? '')}`);
  const started = performance.now();
  let result: EditResult;
  try {
    result = await task.run(editor, progress.update);
  } finally {
    progress.stop();
  }
  const pictures = await writeResult(result, task, options, io);
  await report({ result, pictures, options, io, seconds: (performance.now() - started) / 1000 });
  return {
    ...(task.input !== undefined && { input: task.input }),
    seed: result.seed,
    seconds: result.seconds,
    warnings: result.warnings,
    images: pictures,
  };
}

async function writeResult(
  result: EditResult,
  { outputs }: PictureTask,
  { quality }: PictureOptions,
  io: CliIo,
): Promise<WrittenPicture[]> {
  const pictures: WrittenPicture[] = [];
  for (const [index, image] of result.images.entries()) {
    const output = outputs[index];
    if (output === undefined)
      throw new Error(`Expected ${outputs.length} pictures but there are ${result.images.length}`);
    const { path, format } = output;
    const bytes = await image.toBuffer(format, quality === undefined ? {} : { quality });
    if (path === STANDARD_STREAM) await write(io.stdout, bytes);
    else await writeOutput(path, bytes, io.cwd);
    pictures.push({ path, instruction: image.instruction, width: image.width, height: image.height, format });
  }
  return pictures;
}

/** Says what was written: to a person with sizes, to a program the bare paths. */
async function report({
  result,
  pictures,
  options,
  io,
  seconds,
}: {
  result: EditResult;
  pictures: readonly WrittenPicture[];
  options: PictureOptions;
  io: CliIo;
  seconds: number;
}): Promise<void> {
  const { yellow } = coloursFor(io.stderr, io.environment);
  for (const { message } of result.warnings) await write(io.stderr, `${yellow('Warning:')} ${message}\n`);
  if (options.json) return;
  const { dim } = coloursFor(io.stdout, io.environment);
  for (const { path, width, height } of pictures) {
    if (path === STANDARD_STREAM) continue;
    const details = dim(`${width} x ${height}, seed ${result.seed}, ${formatSeconds(seconds)}`);
    await write(io.stdout, io.stdout.isTTY ? `${path}  ${details}\n` : `${path}\n`);
  }
}
