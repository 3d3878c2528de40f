import * as z from 'zod';
import { parseConfig } from './config-fields.js';
import type { SchedulerConfig } from './configs.js';
import type { JsonValue } from './parse-json.js';

const MAX_FIELDS = 200;

const schema = z
  .looseObject(
    { _class_name: z.string({ error: 'the name of a scheduler class' }).min(1).max(200) },
    { error: 'an object' },
  )
  .refine((config) => Object.keys(config).length <= MAX_FIELDS, { error: `at most ${MAX_FIELDS} fields` });

/**
 * Checks that `scheduler/scheduler_config.json` names a class. The scheduler of that class checks its own fields.
 * @throws {InvalidCheckpointError} naming the field.
 */
export function parseSchedulerConfig({ value, file }: { value: JsonValue; file: string }): SchedulerConfig {
  return parseConfig({ schema, value, file });
}
