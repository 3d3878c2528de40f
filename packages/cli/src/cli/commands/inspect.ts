import { resolve } from 'node:path';
import { checkpointPath } from '@vibe-edit/model-nano';
import type { Command } from 'commander';
import { type CliIo, write } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import { kindOf } from '../expand-inputs.js';
import { formatBytes, formatCount } from '../format-amounts.js';
import { type CheckpointReport, reportCheckpoint } from '../inspect/checkpoint-report.js';
import { coloursFor } from '../messages.js';
import type { CommonOptions } from '../shared-options.js';
import { textTable } from '../text-table.js';

/** Unused tensors named one by one; more are counted. */
const MAX_NAMED = 10;

export function describeInspect(command: Command): Command {
  return command
    .description('tell what a checkpoint holds and whether it can run')
    .argument('[checkpoint]', 'folder, or OWNER/REPO[@REVISION] that was pulled (default: the embedded one)');
}

/** `vibe-edit inspect`. */
export async function inspect({
  args: [checkpoint],
  options,
  io,
}: {
  args: readonly string[];
  options: CommonOptions;
  io: CliIo;
}): Promise<CommandOutcome> {
  const report = await reportCheckpoint(await locate(checkpoint, io.cwd));
  if (!options.json) await write(io.stdout, reportText(report, coloursFor(io.stdout, io.environment)));
  return { document: { ...report }, reason: report.problems.length > 0 ? 'checkpoint' : 'ok' };
}

/** A folder where there is one, else the name of a pulled repository. */
async function locate(checkpoint: string | undefined, cwd: string): Promise<string> {
  if (checkpoint === undefined) return checkpointPath;
  const folder = resolve(cwd, checkpoint);
  return (await kindOf(folder)) === 'nothing' ? checkpoint : folder;
}

function reportText(report: CheckpointReport, { bold, red, green }: ReturnType<typeof coloursFor>): string {
  const { components, defaults, problems, unusedTensors } = report;
  const lines = [`${bold('Checkpoint')}  ${report.path}`];
  if (report.hash !== undefined) lines.push(`${bold('Hash')}        ${report.hash}`);
  if (components.length > 0) lines.push('', componentTable(components));
  if (defaults !== undefined) {
    lines.push(
      '',
      `${bold('Scheduler')}   ${report.scheduler}`,
      `${bold('Made for')}    ${report.sampleSize} x ${report.sampleSize} pixels, ${report.compression} pixels a latent`,
      `${bold('Defaults')}    ${defaults.numInferenceSteps} steps, guidance ${defaults.guidanceScale}, ` +
        `image guidance ${defaults.imageGuidanceScale}, preserve ${defaults.preserve}`,
    );
  }
  if (unusedTensors.length > 0) {
    const more =
      unusedTensors.length > MAX_NAMED ? [`and ${unusedTensors.length - MAX_NAMED} more (--json names all)`] : [];
    lines.push('', bold('Not used'), ...[...unusedTensors.slice(0, MAX_NAMED), ...more].map((name) => `  ${name}`));
  }
  lines.push(
    '',
    problems.length === 0 ? green('It can run.') : red('It cannot run:'),
    ...problems.map((text) => `  ${text}`),
  );
  return `${lines.join('\n')}\n`;
}

function componentTable(components: CheckpointReport['components']): string {
  const total = (pick: (component: CheckpointReport['components'][number]) => number): number =>
    components.reduce((sum, component) => sum + pick(component), 0);
  return textTable([
    ['folder', 'class', 'files', 'tensors', 'parameters', 'size', 'types'],
    ...components.map((component) => [
      component.folder,
      component.class,
      String(component.files),
      String(component.tensors),
      formatCount(component.parameters),
      formatBytes(component.bytes),
      Object.keys(component.dtypes).join(', '),
    ]),
    [
      'all',
      '',
      String(total(({ files }) => files)),
      String(total(({ tensors }) => tensors)),
      formatCount(total(({ parameters }) => parameters)),
      formatBytes(total(({ bytes }) => bytes)),
      '',
    ],
  ]);
}
