import * as errors from '../errors/index.js';

/** An error as plain data that structured clone carries. */
export interface EncodedError {
  /** Name of its class. */
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  /** Own fields, e.g. `code`, `backend`, `component`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly cause: EncodedError | undefined;
}

const MAX_CAUSES = 8;

type ErrorClass = typeof errors.VibeError;

const CLASSES: ReadonlyMap<string, ErrorClass> = new Map(
  Object.values(errors)
    .filter((value): value is ErrorClass => typeof value === 'function' && value.prototype instanceof errors.VibeError)
    .map((value) => [value.name, value]),
);

/** Takes an error apart for another process. Fields that are no plain values are left out. */
export function encodeError(error: unknown, depth = 0): EncodedError {
  if (!(error instanceof Error)) {
    return { name: 'Error', message: String(error), stack: undefined, fields: {}, cause: undefined };
  }
  const fields: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    const plain = value === null || ['string', 'number', 'boolean', 'undefined'].includes(typeof value);
    if (plain && key !== 'name') fields[key] = value;
  }
  const hasCause = error.cause !== undefined && depth < MAX_CAUSES;
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    fields,
    cause: hasCause ? encodeError(error.cause, depth + 1) : undefined,
  };
}

/** The error that `encodeError` took apart: the same class for errors of this project, `Error` with the same name for others. */
export function reviveError(encoded: EncodedError): Error {
  const options = encoded.cause === undefined ? {} : { cause: reviveError(encoded.cause) };
  const errorClass = CLASSES.get(encoded.name);
  const code = String(encoded.fields.code);
  // The constructors of the subclasses make the message from its parts; here it is finished, so only the base class runs.
  const error: Error =
    errorClass === undefined
      ? new Error(encoded.message, options)
      : Reflect.construct(errors.VibeError, [code, encoded.message, options], errorClass);
  if (errorClass === undefined) error.name = encoded.name;
  if (encoded.stack !== undefined) error.stack = encoded.stack;
  return Object.assign(error, encoded.fields);
}
