import { inspect } from 'node:util';
import { VibeError } from '@vibe-edit/core/runtime';
import picocolors from 'picocolors';
import type { CliIo, TerminalStream } from './cli-io.js';

/** Colours where they are wanted: on a terminal, unless NO_COLOR says otherwise. */
export function coloursFor(
  stream: TerminalStream<NodeJS.WritableStream>,
  environment: CliIo['environment'],
): ReturnType<typeof picocolors.createColors> {
  return picocolors.createColors(stream.isTTY === true && !environment.NO_COLOR);
}

/** What is said about an error: one line; with `debug` everything there is to know. */
export function errorText(error: unknown, debug: boolean): string {
  if (debug) return inspect(error, { depth: 6 });
  if (error instanceof VibeError) return error.message;
  const message = error instanceof Error ? error.message : String(error);
  return `Something unexpected went wrong: ${message} (--debug shows where)`;
}

/** An error in a JSON document. */
export function errorJson(error: unknown): { code: string; message: string } {
  const code = error instanceof VibeError ? error.code : 'VIBE_UNEXPECTED';
  return { code, message: error instanceof Error ? error.message : String(error) };
}

export function jsonDocument(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
