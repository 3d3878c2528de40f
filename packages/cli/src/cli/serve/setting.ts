import { z } from 'zod';
import { SECRETS, type ServiceName, type Settings, settingsSchema, usersOf } from './settings-schema.js';

/** One setting, as flag, environment variable and name in the configuration file. */
export interface Setting {
  /** In the configuration file, e.g. `maxQueued`. */
  readonly name: keyof Settings;
  /** `--max-queued`; undefined for a secret. */
  readonly flag: string | undefined;
  /** `VIBE_MAX_QUEUED` */
  readonly variable: string;
  readonly kind: 'text' | 'number' | 'boolean' | 'list';
  /** What it may be, e.g. `0..65535`; empty where anything goes. */
  readonly values: string;
  /** As JSON would have it; undefined where there is none. */
  readonly fallback: string | undefined;
  readonly description: string;
  readonly usedBy: readonly ServiceName[];
}

interface JsonProperty {
  readonly type?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly default?: unknown;
  readonly description?: string;
}

const KINDS: Readonly<Record<string, Setting['kind']>> = {
  string: 'text',
  integer: 'number',
  boolean: 'boolean',
  array: 'list',
};

/** All settings in the order of the schema. */
export const SETTINGS: readonly Setting[] = readSchema();

function readSchema(): Setting[] {
  const { properties = {} } = z.toJSONSchema(settingsSchema, { io: 'input' });
  return Object.keys(settingsSchema.shape).map((key) => {
    const name = key as keyof Settings;
    const property = properties[name] as JsonProperty;
    const { type = '', description } = property;
    const kind = KINDS[type];
    if (description === undefined || kind === undefined)
      throw new Error(`Expected a description and a type for ${name}`);
    const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return {
      name,
      flag: SECRETS.has(name) ? undefined : `--${words}`,
      variable: `VIBE_${words.replaceAll('-', '_').toUpperCase()}`,
      kind,
      values: valuesOf(property),
      fallback: property.default === undefined ? undefined : JSON.stringify(property.default),
      description,
      usedBy: usersOf(name),
    };
  });
}

function valuesOf(property: JsonProperty): string {
  if (property.enum !== undefined) return property.enum.join(', ');
  return property.type === 'integer' ? `${property.minimum}..${property.maximum}` : '';
}
