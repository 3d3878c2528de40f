// As a namespace, here and elsewhere: importing `z` would bring every language of its messages into a browser's bundle.
import * as z from 'zod';
import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';
import { describeValue, type JsonValue } from './parse-json.js';

/** Largest width, channel or head count that a config may name: far over any model's, far under what arithmetic could not hold. */
export const MAX_WIDTH = 65_536;
/** Most layers, blocks or stages of a kind. */
export const MAX_LAYERS = 512;

/** A whole number in a range; the error says which. */
export function integer(min: number, max: number): z.ZodType<number> {
  return z.custom<number>((value) => Number.isInteger(value) && (value as number) >= min && (value as number) <= max, {
    error: `a whole number from ${min} to ${max}`,
  });
}

/** A finite number in a range, `min` excluded where `open`. */
export function finite(min: number, max: number, { open = false } = {}): z.ZodType<number> {
  return z.custom<number>((value) => typeof value === 'number' && (open ? value > min : value >= min) && value <= max, {
    error: `a number ${open ? 'over' : 'from'} ${min} ${open ? 'and at most' : 'to'} ${max}`,
  });
}

/** One of some values of JSON. */
export function oneOf<const T extends string | boolean | number | null>(...values: readonly T[]): z.ZodType<T> {
  return z.custom<T>((value) => (values as readonly unknown[]).includes(value), {
    error: values.map((value) => JSON.stringify(value)).join(' or '),
  });
}

export function flag(): z.ZodType<boolean> {
  return oneOf(true, false);
}

/** A list of bounded length. */
export function listOf<T>(item: z.ZodType<T>, min: number, max: number): z.ZodType<T[]> {
  const error = `a list of ${min} to ${max} entries`;
  return z.array(item, { error }).min(min, { error }).max(max, { error });
}

/** The fields of an object; fields that the program does not read may stand beside them. */
export function fields<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strip> {
  return z.object(shape, { error: 'an object' });
}

/** Says that a field contradicts another one. Where the file leaves it out, its default is what was received. */
export function contradiction(
  context: z.RefinementCtx,
  path: readonly (string | number)[],
  expected: string,
  received = describeValue(valueAt(context.value, path)),
): void {
  context.addIssue({ code: 'custom', path: [...path], message: expected, params: { received } });
}

/**
 * Checks a parsed config against a schema whose messages are what was expected.
 * @throws {InvalidCheckpointError} for the first field at fault.
 */
export function parseConfig<T>({ schema, value, file }: { schema: z.ZodType<T>; value: JsonValue; file: string }): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  // A path may hold keys of the file's choice.
  const field = issue.path.map(String).join('.').slice(0, 200);
  const params = issue.code === 'custom' ? issue.params : undefined;
  throw new InvalidCheckpointError({
    file,
    ...(field !== '' && { field }),
    expected: issue.message,
    received: typeof params?.received === 'string' ? params.received : describeValue(valueAt(value, issue.path)),
  });
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let inner = value;
  for (const key of path) {
    if (typeof inner !== 'object' || inner === null || !Object.hasOwn(inner, key)) return undefined;
    inner = (inner as Record<PropertyKey, unknown>)[key];
  }
  return inner;
}
