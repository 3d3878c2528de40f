import { z } from 'zod';
import { type ServiceName, type Settings, settingNotes, settingsSchema } from './settings-schema.js';

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
  return Object.entries(settingsSchema.shape).map(([name, schema]) => {
    const property = properties[name] as JsonProperty;
    const notes = settingNotes.get(schema);
    const kind = KINDS[property.type ?? ''];
    if (notes === undefined || kind === undefined) throw new Error(`Expected notes and a known type for ${name}`);
    const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    return {
      name: name as keyof Settings,
      flag: notes.secret ? undefined : `--${words}`,
      variable: `VIBE_${words.replaceAll('-', '_').toUpperCase()}`,
      kind,
      values: valuesOf(property),
      fallback: property.default === undefined ? undefined : JSON.stringify(property.default),
      description: notes.description,
      usedBy: notes.only === undefined ? ['serve', 'worker'] : [notes.only],
    };
  });
}

function valuesOf(property: JsonProperty): string {
  if (property.enum !== undefined) return property.enum.join(', ');
  return property.type === 'integer' ? `${property.minimum}..${property.maximum}` : '';
}
