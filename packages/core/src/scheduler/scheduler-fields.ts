import type { SchedulerConfig } from '../checkpoint/configs.js';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';

/** The file whose fields are read, as it is named in errors. */
const SCHEDULER_FILE = 'scheduler/scheduler_config.json';

/** An error about one field of the scheduler's config. */
export function schedulerFieldError(field: string, expected: string, received: unknown): InvalidCheckpointError {
  const shown = typeof received === 'number' || received === undefined ? String(received) : JSON.stringify(received);
  return new InvalidCheckpointError({
    file: SCHEDULER_FILE,
    expected: `${field} to be ${expected}`,
    received: shown,
  });
}

/** Reads the fields of a scheduler's config; a field that is missing has the default of diffusers' class. */
export class SchedulerFields {
  readonly #config: SchedulerConfig;

  constructor(config: SchedulerConfig) {
    this.#config = config;
  }

  /** A finite number greater than `above`. */
  number(field: string, fallback: number, above: number): number {
    const value = this.#config[field] ?? fallback;
    if (typeof value === 'number' && Number.isFinite(value) && value > above) return value;
    throw schedulerFieldError(field, `a number above ${above}`, value);
  }

  /** A whole number from `lowest` to `highest`. */
  integer(field: string, fallback: number, [lowest, highest]: readonly [number, number]): number {
    const value = this.#config[field] ?? fallback;
    if (typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= highest) return value;
    throw schedulerFieldError(field, `a whole number from ${lowest} to ${highest}`, value);
  }

  /** A boolean; null counts as false. */
  boolean(field: string, fallback: boolean): boolean {
    const value = this.#config[field] === undefined ? fallback : (this.#config[field] ?? false);
    if (typeof value === 'boolean') return value;
    throw schedulerFieldError(field, 'true or false', value);
  }

  /** One of some names. */
  oneOf<Name extends string>(field: string, fallback: string, names: readonly Name[]): Name {
    const value = this.#config[field] ?? fallback;
    const name = names.find((candidate) => candidate === value);
    if (name !== undefined) return name;
    throw schedulerFieldError(field, names.map((candidate) => `"${candidate}"`).join(' or '), value);
  }

  /** Refuses options that are switched on but not carried out. */
  mustBeOff(...fields: readonly string[]): void {
    for (const field of fields) {
      if (this.boolean(field, false)) throw schedulerFieldError(field, 'false', true);
    }
  }

  /** Refuses a config in which an option that is taken for granted is off. */
  mustBeOn(field: string): void {
    if (!this.boolean(field, false)) throw schedulerFieldError(field, 'true', this.#config[field]);
  }

  /** A field as it stands in the file. */
  raw(field: string): unknown {
    return this.#config[field];
  }
}
