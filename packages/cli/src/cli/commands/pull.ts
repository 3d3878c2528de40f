import { parseRepository } from '@vibe-edit/core';
import type { Command } from 'commander';
import { type CliIo, write } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import { formatBytes } from '../format-amounts.js';
import { createBar } from '../progress-bar.js';
import type { Services } from '../services.js';
import type { CommonOptions } from '../shared-options.js';
import { UsageError } from '../usage-error.js';

export function describePull(command: Command): Command {
  return command
    .description('download a checkpoint from the Hugging Face Hub')
    .argument('<repository>', 'OWNER/REPO, or OWNER/REPO@REVISION with a branch, tag or commit')
    .addHelpText(
      'after',
      `
A download that broke off goes on where it stopped. Checkpoints lie in the cache that all Hugging Face libraries share.

Environment:
  HF_HOME, HF_HUB_CACHE  where the cache is
  HF_TOKEN               token for repositories that ask for one
  HF_ENDPOINT            URL of another hub`,
    );
}

/** `vibe-edit pull`. */
export async function pull({
  args: [repository = ''],
  options,
  io,
  services,
}: {
  args: readonly string[];
  options: CommonOptions;
  io: CliIo;
  services: Services;
}): Promise<CommandOutcome> {
  const parsed = parseRepository(repository);
  if (parsed === undefined)
    throw new UsageError(`Expected OWNER/REPO or OWNER/REPO@REVISION but received ${repository}`);
  const bar = createBar(io.stderr, `${parsed.repo} {bar} {percentage}% {label}`);
  const started = performance.now();
  let presentBytes = 0;
  let pulled: Awaited<ReturnType<Services['pullCheckpoint']>>;
  try {
    pulled = await services.pullCheckpoint({
      ...parsed,
      signal: io.signal,
      onProgress: (event) => {
        if (event.type === 'start') presentBytes = event.presentBytes;
        if (event.type !== 'progress') return;
        const perSecond = ((event.bytes - presentBytes) / (performance.now() - started)) * 1000;
        const amount = `${formatBytes(event.bytes)} of ${formatBytes(event.totalBytes)}, ${formatBytes(Math.max(0, Math.round(perSecond)))}/s`;
        bar.update(event.bytes, event.totalBytes, `${amount}  ${event.file}`);
      },
    });
  } finally {
    bar.stop();
  }
  if (!options.json) {
    await write(io.stdout, `${pulled.path}\n`);
    if (io.stdout.isTTY) {
      const size = formatBytes(pulled.totalBytes);
      await write(io.stdout, `${size} in ${pulled.files} files; use it with --checkpoint ${repository}\n`);
    }
  }
  return { document: { ...pulled } };
}
