import { readFile } from 'node:fs/promises';
import { InvalidArgumentError } from 'vibe-edit';

/** The checks below throw it: what stands in a file is not as it should be. */
export function wrong(argument: string, expected: string, received: unknown): InvalidArgumentError {
  return new InvalidArgumentError({ argument, expected, received: String(received) });
}

export function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw wrong(where, 'an object', value);
}

export function list<Entry = Record<string, unknown>>(
  value: unknown,
  where: string,
  isEntry: (entry: unknown) => boolean = (entry) => typeof entry === 'object' && entry !== null,
): Entry[] {
  if (Array.isArray(value) && value.every(isEntry)) return value as Entry[];
  throw wrong(where, 'a list', JSON.stringify(value));
}

export function sentence(value: unknown, where: string): string {
  if (typeof value === 'string' && value.trim() !== '') return value;
  throw wrong(where, 'a text', value);
}

export function oneOf(value: unknown, choices: readonly string[], where: string): string {
  if (typeof value === 'string' && choices.includes(value)) return value;
  throw wrong(where, choices.join(' or '), value);
}

/** What stands in a JSON file. */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    throw wrong(file, 'a JSON file', (error as Error).message);
  }
}
