import { throwIfAborted } from '@vibe-edit/core/runtime';
import type { Command } from 'commander';
import { BACKEND_NAMES } from '../backends.js';
import { type CliIo, write } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import type { Check } from '../doctor/check.js';
import { checkCache, checkMemory, checkNode, checkProcessor } from '../doctor/check-machine.js';
import { checkBackend, checkCheckpoint, checkPictures } from '../doctor/check-parts.js';
import type { ExitReason } from '../exit-codes.js';
import { coloursFor } from '../messages.js';
import type { Services } from '../services.js';
import type { CommonOptions } from '../shared-options.js';

export interface DoctorOptions extends CommonOptions {
  readonly checkpoint?: string;
}

export function describeDoctor(command: Command): Command {
  return command
    .description('tell what can run here, and why not')
    .option('--checkpoint <checkpoint>', 'the one to look at (default: the embedded one)');
}

/** `vibe-edit doctor`. */
export async function doctor({
  options,
  io,
  services,
}: {
  options: DoctorOptions;
  io: CliIo;
  services: Services;
}): Promise<CommandOutcome> {
  const checks: Check[] = [];
  let reason: ExitReason = 'ok';
  const add = async (check: Check, failure: ExitReason): Promise<void> => {
    throwIfAborted(io.signal);
    checks.push(check);
    if (check.status === 'failed' && reason === 'ok') reason = failure;
    if (!options.json) await write(io.stdout, checkText(check, coloursFor(io.stdout, io.environment)));
  };
  await add(checkNode(), 'unexpected');
  await add(checkProcessor(), 'unexpected');
  await add(checkMemory(), 'unexpected');
  await add(await checkPictures(), 'input');
  await add(await checkCheckpoint(options.checkpoint), 'checkpoint');
  await add(await checkCache(), 'unexpected');
  for (const name of BACKEND_NAMES) await add(await checkBackend({ name, services, signal: io.signal }), 'backend');
  return { document: { checks }, reason };
}

const LABELS: Readonly<Record<Check['status'], string>> = {
  ok: 'ok',
  warning: 'limited',
  unavailable: 'not here',
  failed: 'failed',
};

function checkText(
  { name, status, detail }: Check,
  { green, yellow, red, dim }: ReturnType<typeof coloursFor>,
): string {
  const paint = { ok: green, warning: yellow, unavailable: dim, failed: red }[status];
  return `${paint(LABELS[status].padEnd(10))}${name.padEnd(16)}${detail}\n`;
}
