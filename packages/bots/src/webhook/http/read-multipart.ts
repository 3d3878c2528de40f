import { setImmediate as nextTurn } from 'node:timers/promises';
import { Busboy, type BusboyHeaders } from '@fastify/busboy';
import { ApiError, badRequest } from '../api-error.js';
import type { Form } from './form.js';

/** Bounds that no sensible form comes near. */
const LIMITS = {
  fieldNameSize: 100,
  fieldSize: 64 * 1024,
  fields: 64,
  files: 20,
  parts: 80,
  headerPairs: 20,
  headerSize: 8 * 1024,
};

/**
 * Turns of the event loop that the parser gets for what it was given. It works in memory and takes a few; over some malformed forms,
 * such as a long part without a name, it stands still for ever.
 */
const PATIENCE = 1000;

/** Whether a part is a file: some clients send pictures without a file name. */
function isPartAFile(
  _name: string | undefined,
  contentType: string | undefined,
  fileName: string | undefined,
): boolean {
  return fileName !== undefined || !/^(text\/|application\/json)/.test(contentType ?? 'text/plain');
}

/**
 * Reads `multipart/form-data` piece by piece.
 *
 * @param options.maxFileBytes Bytes of one file.
 * @throws {ApiError} 400 when it is not what the standard describes, 413 when a file is too long, and what `body` throws.
 */
export async function readMultipart(options: {
  body: AsyncIterable<Uint8Array>;
  contentType: string;
  maxFileBytes: number;
}): Promise<Form> {
  const { body, contentType, maxFileBytes } = options;
  const values = new Map<string, string[]>();
  const files = new Map<string, Uint8Array[]>();
  let problem: Error | undefined;
  const fail = (error: Error): void => {
    problem ??= error;
  };
  const malformed = (): ApiError =>
    badRequest('Expected multipart/form-data but received something else or a part of it', {
      code: 'invalid_multipart',
    });

  let parser: InstanceType<typeof Busboy>;
  try {
    const headers = { 'content-type': contentType } as BusboyHeaders;
    parser = new Busboy({ headers, limits: { ...LIMITS, fileSize: maxFileBytes }, isPartAFile });
  } catch {
    throw badRequest(`Expected multipart/form-data with a boundary but received ${JSON.stringify(contentType)}`, {
      code: 'invalid_multipart',
    });
  }
  parser.on('field', (name: unknown, value, _nameCut, cut) => {
    if (typeof name !== 'string') return fail(malformed());
    if (cut)
      return fail(badRequest(`Expected at most ${LIMITS.fieldSize} bytes`, { code: 'field_too_large', param: name }));
    values.set(name, [...(values.get(name) ?? []), value]);
  });
  parser.on('file', (name: unknown, stream) => {
    const chunks: Uint8Array[] = [];
    stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    stream.on('error', () => fail(malformed()));
    stream.on('limit', () => {
      const message = `Expected a file of at most ${maxFileBytes} bytes but received more`;
      const param = typeof name === 'string' ? name : undefined;
      fail(new ApiError({ status: 413, type: 'invalid_request_error', code: 'file_too_large', message, param }));
    });
    stream.on('end', () => {
      if (typeof name !== 'string') return fail(malformed());
      files.set(name, [...(files.get(name) ?? []), Buffer.concat(chunks)]);
    });
  });
  for (const event of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) {
    parser.on(event, () => fail(badRequest('Expected fewer parts in the form', { code: 'too_many_parts' })));
  }
  let finished = false;
  const finish = (): void => {
    finished = true;
  };
  parser.once('finish', finish);
  parser.once('close', finish);
  parser.on('error', () => {
    fail(malformed());
    finish();
  });
  let free = true;
  parser.on('drain', () => {
    free = true;
  });
  const settled = async (done: () => boolean): Promise<void> => {
    for (let turn = 0; turn < PATIENCE && !done(); turn++) await nextTurn();
    if (!done()) fail(malformed());
    if (problem !== undefined) throw problem;
  };

  try {
    for await (const chunk of body) {
      free = parser.write(chunk);
      await settled(() => free || finished);
    }
    parser.end();
    await settled(() => finished);
  } finally {
    parser.destroy();
  }
  const flat = [...values].map(([name, list]) => [name, list.length === 1 ? list[0] : list]);
  return { encoding: 'multipart', values: Object.fromEntries(flat), files };
}
