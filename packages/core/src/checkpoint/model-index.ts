import * as z from 'zod';
import { fields, oneOf, parseConfig } from './config-fields.js';
import type { JsonValue } from './parse-json.js';

/** A component's entry: the library it comes from, and its class. */
function component<T extends string>(name: z.ZodType<T>): z.ZodType<[string, T]> {
  return z.tuple([z.string({ error: 'the name of a library' }), name], { error: 'a pair of library and class' });
}

const schema = fields({
  _class_name: oneOf('VIBESanaEditingPipeline'),
  scheduler: component(z.string({ error: 'the name of a scheduler class' })),
  text_encoder: component(oneOf('Qwen3VLForConditionalGeneration')),
  tokenizer: component(oneOf('Qwen3VLProcessor')),
  transformer: component(oneOf('VIBESanaEditingModel')),
  vae: component(oneOf('AutoencoderDC')),
});

/** What `model_index.json` says beyond the classes that every VIBE checkpoint has. */
export interface ModelIndex {
  /** Class of the scheduler, e.g. `DPMSolverMultistepScheduler`. */
  readonly schedulerClass: string;
}

/**
 * Checks `model_index.json`: a VIBE pipeline of the known classes.
 * @throws {InvalidCheckpointError} naming the component.
 */
export function parseModelIndex({ value, file }: { value: JsonValue; file: string }): ModelIndex {
  return { schedulerClass: parseConfig({ schema, value, file }).scheduler[1] };
}
