import type { z } from 'zod';
import { type ApiError, badRequest } from '../api-error.js';
import type { Form } from './form.js';

/**
 * Checks parameters against a schema. Multipart fields arrive as text: where the schema wants a number or a boolean it is made from it,
 * where it wants a list a single one becomes one.
 *
 * @throws {ApiError} 400 naming the first parameter at fault.
 */
export function parseParameters<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape>,
  form: Form,
): z.infer<z.ZodObject<Shape>> {
  const values = form.encoding === 'json' ? form.values : fromText(schema, form.values);
  const { success, data, error } = schema.safeParse(values, { reportInput: true });
  if (success) return data;
  throw parameterError(error);
}

/** The error for the first thing that a schema, parsed with `reportInput`, finds wrong. */
export function parameterError({ issues }: z.core.$ZodError): ApiError {
  const [issue] = issues;
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    const name = key.slice(0, 100);
    return badRequest(`Unknown parameter: ${JSON.stringify(name)}`, { code: 'unknown_parameter', param: name });
  }
  const param = issue?.path.map(String).join('.') ?? '';
  if (issue?.input === undefined) {
    return badRequest(`Expected ${param} but received none`, { code: 'missing_parameter', param });
  }
  return badRequest(`${inOurWords(issue.message)} for ${param}`, { param });
}

/** `Too small: expected number to be >=1` is `Expected number to be >=1`. */
function inOurWords(message: string): string {
  return message.replace(/^[A-Z][a-z ]+: expected /, 'Expected ').replace(', received ', ' but received ');
}

function fromText(schema: z.ZodObject, values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const entries = Object.entries(values).map(([name, value]) => {
    const wanted = Object.hasOwn(schema.shape, name) ? kindOf(schema.shape[name] as z.core.$ZodType) : undefined;
    return [name, typeof value === 'string' ? convert(value, wanted) : value];
  });
  return Object.fromEntries(entries);
}

function convert(text: string, wanted: string | undefined): unknown {
  if (wanted === 'number' && /^\s*[-+]?[\d.]+(e[-+]?\d+)?\s*$/i.test(text)) return Number(text);
  if (wanted === 'boolean' && /^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  return text;
}

/** What a schema is under its wrappers. */
function kindOf(schema: z.core.$ZodType): string {
  const { def } = schema._zod;
  if ('innerType' in def) return kindOf(def.innerType as z.core.$ZodType);
  return def.type;
}
