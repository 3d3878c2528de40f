import type { Command } from 'commander';
import { wholeNumber } from '../option-parsers.js';
import { addSettingOptions } from './settings-options.js';

export function describeServeOptions(command: Command): Command {
  return addSettingOptions(command, 'serve').addHelpText(
    'after',
    `
Each option is also an environment variable and an entry of the configuration file; options go before variables, variables before the file.
VIBE_CALLBACK_SECRET has no option, so that it stands on no command line.

Examples:
  $ vibe-edit serve
  $ vibe-edit keys create alice && vibe-edit serve --host 0.0.0.0
  $ vibe-edit serve --redis redis://queue.internal:6379 --concurrency 0`,
  );
}

export function describeWorkerOptions(command: Command): Command {
  return addSettingOptions(command, 'worker').addHelpText(
    'after',
    `
Each option is also an environment variable and an entry of the configuration file; options go before variables, variables before the file.

Example:
  $ vibe-edit worker --redis redis://queue.internal:6379 --s3-bucket pictures`,
  );
}

/** Options of all `vibe-edit keys` commands. */
export function addKeysOptions(command: Command): Command {
  return command
    .option('--data <text>', "the server's data folder (VIBE_DATA)")
    .option('--config <file>', "the server's JSON file with settings (VIBE_CONFIG)");
}

export function addKeyLimitOptions(command: Command): Command {
  return command
    .option('--requests-per-minute <n>', "requests a minute (default: the server's limit)", wholeNumber(1, 1_000_000))
    .option('--jobs-per-hour <n>', "new jobs an hour (default: the server's limit)", wholeNumber(1, 1_000_000));
}
