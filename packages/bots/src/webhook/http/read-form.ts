import { ApiError, badRequest } from '../api-error.js';
import type { ByteLease } from './byte-budget.js';
import type { Form } from './form.js';
import { type BodyLimits, readBody, readWholeBody } from './read-body.js';
import { readMultipart } from './read-multipart.js';

/**
 * Reads a request's parameters: `multipart/form-data` or `application/json`.
 * @throws {ApiError} 415 for another type, and what the readers throw.
 */
export async function readForm(
  request: Request,
  options: { limits: BodyLimits & { maxImageBytes: number }; lease: ByteLease },
): Promise<Form> {
  const contentType = request.headers.get('content-type') ?? '';
  const mediaType = contentType.split(';', 1)[0]?.trim().toLowerCase();
  const encoding = request.headers.get('content-encoding') ?? 'identity';
  if (encoding !== 'identity') throw unsupported('a body without content-encoding', encoding);
  if (mediaType === 'multipart/form-data') {
    const body = readBody(request, options);
    return await readMultipart({ body, contentType, maxFileBytes: options.limits.maxImageBytes });
  }
  if (mediaType === 'application/json') return readJson(await readWholeBody(request, options));
  throw unsupported('multipart/form-data or application/json', mediaType === '' ? 'no content-type' : `${mediaType}`);
}

function unsupported(expected: string, received: string): ApiError {
  const message = `Expected ${expected} but received ${received}`;
  return new ApiError({ status: 415, type: 'invalid_request_error', code: 'unsupported_media_type', message });
}

function readJson(bytes: Uint8Array): Form {
  let values: unknown;
  try {
    values = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw badRequest('Expected a JSON object but received something that is not JSON', { code: 'invalid_json' });
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values)) {
    throw badRequest('Expected a JSON object but received another value', { code: 'invalid_json' });
  }
  return { encoding: 'json', values: values as Record<string, unknown>, files: new Map() };
}
