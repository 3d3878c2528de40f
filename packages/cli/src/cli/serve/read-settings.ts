import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { CliIo } from '../cli-io.js';
import { UsageError } from '../usage-error.js';
import { SETTINGS, type Setting } from './setting.js';
import { type Settings, settingsSchema } from './settings-schema.js';

export interface ReadSettingsOptions {
  /** Options of the command line, by their camelCase names; `config` names the file. Others than settings are left alone. */
  flags: Readonly<Record<string, unknown>>;
  environment: CliIo['environment'];
  cwd: string;
}

/** Where a value came from, for messages. */
type Sources = Map<string, string>;

/**
 * Settings out of flags, before the environment, before the configuration file, before the defaults.
 * @throws {UsageError} naming the flag, variable or entry that is not what it should be.
 */
export async function readSettings({ flags, environment, cwd }: ReadSettingsOptions): Promise<Settings> {
  const sources: Sources = new Map();
  const values: Record<string, unknown> = {};
  const file = textOf(flags.config) ?? textOf(environment.VIBE_CONFIG);
  if (file !== undefined) {
    for (const [name, value] of Object.entries(await readConfigFile(resolve(cwd, file), file))) {
      values[name] = value;
      sources.set(name, `${name} in ${file}`);
    }
  }
  for (const setting of SETTINGS) {
    const { name, flag, variable } = setting;
    const fromEnvironment = textOf(environment[variable]);
    const fromFlags = flag === undefined ? undefined : flags[name];
    if (fromEnvironment !== undefined) {
      values[name] = parseText(setting, fromEnvironment);
      sources.set(name, variable);
    }
    if (fromFlags !== undefined) {
      values[name] = typeof fromFlags === 'string' ? parseText(setting, fromFlags) : fromFlags;
      sources.set(name, flag ?? name);
    }
  }
  return checkSettings(values, sources, file);
}

/** Environment variables that look like settings and are none; typing mistakes most likely. */
export function unknownVariables(environment: CliIo['environment']): string[] {
  const known = new Set(['VIBE_CONFIG', ...SETTINGS.map(({ variable }) => variable)]);
  return Object.keys(environment).filter((name) => name.startsWith('VIBE_') && !known.has(name));
}

async function readConfigFile(path: string, name: string): Promise<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Expected a JSON file with settings at ${name} but it cannot be read: ${reason}`);
  }
  if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) {
    return parsed as Record<string, unknown>;
  }
  throw new UsageError(`Expected an object of settings in ${name} but received ${JSON.stringify(parsed).slice(0, 40)}`);
}

/** An empty variable is one that was not set: files of containers pass such on. */
function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** What stands on a command line or in the environment, as the schema wants it; what cannot be read stays text for it to refuse. */
function parseText({ kind }: Setting, text: string): unknown {
  if (kind === 'number') return /^\d+$/.test(text) ? Number(text) : text;
  if (kind === 'boolean')
    return text === 'true' || text === '1' ? true : text === 'false' || text === '0' ? false : text;
  if (kind === 'list') {
    const items = text.split(',').map((item) => item.trim());
    return items.filter((item) => item !== '');
  }
  return text;
}

/** A value for a message: of a URL only what comes after user and password. */
function withoutPassword(value: unknown): string {
  return JSON.stringify(typeof value === 'string' ? value.replace(/^.*@/s, '') : value);
}

function checkSettings(values: Record<string, unknown>, sources: Sources, file: string | undefined): Settings {
  const { success, data, error } = settingsSchema.safeParse(values);
  if (success) return data;
  const [issue] = error.issues;
  if (issue?.code === 'unrecognized_keys') {
    throw new UsageError(`Expected known settings in ${file} but received ${issue.keys.join(', ')}`);
  }
  const name = String(issue?.path[0]);
  const setting = SETTINGS.find((one) => one.name === name);
  const expected = (setting && expectedOf(setting)) ?? issue?.message;
  // What a secret was is nobody's to see.
  const received = setting?.flag === undefined ? '' : ` but received ${withoutPassword(values[name])}`;
  throw new UsageError(`${sources.get(name) ?? name}: ${expected}${received}`);
}

/** What a setting's kind tells of its values; undefined where the schema has words of its own. */
function expectedOf({ kind, values }: Setting): string | undefined {
  if (kind === 'number') return `Expected a whole number, ${values},`;
  if (kind === 'boolean') return 'Expected true or false';
  return values === '' ? undefined : `Expected one of ${values}`;
}
