import { join, resolve } from 'node:path';
import type { ApiKeyLimits } from '@vibe-edit/bots/webhook';
import { type CliIo, write } from '../cli-io.js';
import type { CommandOutcome } from '../command-outcome.js';
import { type ApiKeyFolder, createApiKeyFolder } from '../serve/api-key-folder.js';
import { makeDataFolder } from '../serve/data-folder.js';
import { readSettings } from '../serve/read-settings.js';
import type { CommonOptions } from '../shared-options.js';
import { textTable } from '../text-table.js';
import { UsageError } from '../usage-error.js';

export interface KeysOptions extends CommonOptions, ApiKeyLimits {
  readonly data?: string;
  readonly config?: string;
}

interface KeysCall {
  readonly args: readonly string[];
  readonly options: KeysOptions;
  readonly io: CliIo;
}

/** `vibe-edit keys create`: the key on standard output, once. */
export async function createKey({ args: [name = ''], options, io }: KeysCall): Promise<CommandOutcome> {
  const { requestsPerMinute, jobsPerHour } = options;
  const limits: ApiKeyLimits = {
    ...(requestsPerMinute !== undefined && { requestsPerMinute }),
    ...(jobsPerHour !== undefined && { jobsPerHour }),
  };
  const folder = await openKeys({ options, io });
  const first = (await folder.list()).length === 0;
  const key = await folder.create({ name, ...(Object.keys(limits).length > 0 && { limits }) });
  if (!options.json) await write(io.stdout, `${key}\n`);
  if (io.stderr.isTTY) {
    await write(io.stderr, 'Shown this once: only its hash is kept.\n');
    if (first) await write(io.stderr, 'A server that runs without keys asks for one after a restart.\n');
  }
  return { document: { name, key } };
}

/** `vibe-edit keys list`: names and limits. */
export async function listKeys({ options, io }: KeysCall): Promise<CommandOutcome> {
  const records = await (await openKeys({ options, io })).list();
  const keys = records.map(({ name, limits }) => ({ name, ...(limits !== undefined && { limits }) }));
  if (!options.json && keys.length > 0) {
    const rows = keys.map(({ name, limits = {} }) => [
      name,
      ...Object.entries(limits).map(([limit, n]) => `${limit} ${n}`),
    ]);
    await write(io.stdout, `${textTable(rows)}\n`);
  }
  return { document: { keys } };
}

/** `vibe-edit keys remove`: servers refuse the key from then on. */
export async function removeKey({ args: [name = ''], options, io }: KeysCall): Promise<CommandOutcome> {
  if (!(await (await openKeys({ options, io })).remove(name))) {
    throw new UsageError(`Expected the name of a key but there is none for ${name}`);
  }
  return { document: { name } };
}

async function openKeys({ options, io }: Omit<KeysCall, 'args'>): Promise<ApiKeyFolder> {
  const flags = { data: options.data, config: options.config };
  const settings = await readSettings({ flags, environment: io.environment, cwd: io.cwd });
  const data = resolve(io.cwd, settings.data);
  await makeDataFolder(data);
  return createApiKeyFolder(join(data, 'keys'));
}
