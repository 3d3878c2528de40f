import { InvalidCheckpointError } from '../errors/invalid-checkpoint-error.js';

/** What a JSON document holds once parsed. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;
export type JsonObject = { readonly [key: string]: JsonValue };

export interface ParseJsonOptions {
  text: string;
  /** Path for the error's message. */
  file: string;
  /** Values that the document may hold in all, nested ones included. Default 1 million. */
  maxValues?: number;
}

const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;
const WORDS: ReadonlyMap<string, JsonValue> = new Map<string, JsonValue>([
  ['true', true],
  ['false', false],
  ['null', null],
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['-Infinity', Number.NEGATIVE_INFINITY],
]);
const WORD = /-?[A-Za-z]+/y;

/**
 * Parses the JSON that Python writes: as `JSON.parse`, but the bare values `NaN`, `Infinity` and `-Infinity` are taken, a key
 * that stands twice or is `__proto__` is refused, and depth and count of values are bounded.
 * @throws {InvalidCheckpointError} naming the file and the place.
 * @example
 * parseJson({ text: '{"lambda_min_clipped": -Infinity}', file: 'scheduler_config.json' });
 */
export function parseJson({ text, file, maxValues = 1_000_000 }: ParseJsonOptions): JsonValue {
  let position = 0;
  let values = 0;

  const fail = (expected: string, at = position): never => {
    const found = at < text.length ? JSON.stringify(text.slice(at, at + 20)) : 'the end of the file';
    throw new InvalidCheckpointError({ file, expected, received: `${found} at character ${at}` });
  };

  const skipSpace = (): void => {
    for (;;) {
      const code = text.charCodeAt(position);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return;
      position++;
    }
  };

  const parseString = (): string => {
    const start = position;
    let escaped = false;
    for (position++; position < text.length; position++) {
      const code = text.charCodeAt(position);
      if (code < 0x20) break;
      if (code === 0x22) {
        position++;
        return escaped ? decodeEscapes(start) : text.slice(start + 1, position - 1);
      }
      if (code === 0x5c) {
        escaped = true;
        position++;
      }
    }
    return fail('a JSON string that ends', start);
  };

  const decodeEscapes = (start: number): string => {
    try {
      return JSON.parse(text.slice(start, position)) as string;
    } catch {
      return fail('a JSON string', start);
    }
  };

  const parseNumberOrWord = (): JsonValue => {
    NUMBER.lastIndex = position;
    const number = NUMBER.exec(text);
    if (number !== null) {
      position = NUMBER.lastIndex;
      return Number(number[0]);
    }
    WORD.lastIndex = position;
    const word = WORD.exec(text)?.[0];
    const value = word === undefined ? undefined : WORDS.get(word);
    if (word === undefined || value === undefined) return fail('a JSON value');
    position += word.length;
    return value;
  };

  const parseArray = (depth: number): JsonValue[] => {
    const items: JsonValue[] = [];
    position++;
    skipSpace();
    if (text[position] === ']') {
      position++;
      return items;
    }
    for (;;) {
      items.push(parseValue(depth));
      const separator = text[position];
      if (separator !== ',' && separator !== ']') fail('"," or "]"');
      position++;
      if (separator === ']') return items;
    }
  };

  const parseObject = (depth: number): JsonObject => {
    const fields: Record<string, JsonValue> = {};
    position++;
    skipSpace();
    if (text[position] === '}') {
      position++;
      return fields;
    }
    for (;;) {
      skipSpace();
      const start = position;
      if (text[position] !== '"') fail('a key in double quotes');
      const key = parseString();
      if (key === '__proto__') fail('a key other than __proto__', start);
      if (Object.hasOwn(fields, key)) fail('every key once', start);
      skipSpace();
      if (text[position] !== ':') fail('":"');
      position++;
      fields[key] = parseValue(depth);
      const separator = text[position];
      if (separator !== ',' && separator !== '}') fail('"," or "}"');
      position++;
      if (separator === '}') return fields;
    }
  };

  const parseValue = (depth: number): JsonValue => {
    skipSpace();
    if (depth > MAX_DEPTH) fail(`at most ${MAX_DEPTH} levels`);
    if (++values > maxValues) fail(`at most ${maxValues} values`);
    let value: JsonValue;
    if (text[position] === '{') value = parseObject(depth + 1);
    else if (text[position] === '[') value = parseArray(depth + 1);
    else if (text[position] === '"') value = parseString();
    else value = parseNumberOrWord();
    skipSpace();
    return value;
  };

  const value = parseValue(0);
  if (position < text.length) fail('nothing more');
  return value;
}

/**
 * Decodes UTF-8.
 * @throws {InvalidCheckpointError} when the bytes are no UTF-8.
 */
export function decodeUtf8({ bytes, file }: { bytes: Uint8Array; file: string }): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new InvalidCheckpointError({ file, expected: 'UTF-8 text', received: 'other bytes', cause });
  }
}

/** A value for an error message: JSON, shortened, non-finite numbers included. */
export function describeValue(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (typeof value === 'number') return String(value);
  const text = JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'number' && !Number.isFinite(inner) ? String(inner) : inner,
  );
  return text.length > 100 ? `${text.slice(0, 97)}...` : text;
}
