import { ApiError } from '../api-error.js';
import type { ByteLease } from './byte-budget.js';

export interface BodyLimits {
  maxBodyBytes: number;
  uploadSeconds: number;
  uploadIdleSeconds: number;
}

/**
 * A request's body, piece by piece. It is never read further than the limits; what is left of a refused body is for `refuseUnread`.
 *
 * @throws {ApiError} 413 too long, 408 too slow, 400 cut off.
 */
export async function* readBody(
  request: Request,
  options: { limits: BodyLimits; lease: ByteLease },
): AsyncGenerator<Uint8Array> {
  const { limits, lease } = options;
  const tooLong = (): ApiError => {
    const message = `Expected a body of at most ${limits.maxBodyBytes} bytes but received more`;
    return new ApiError({ status: 413, type: 'invalid_request_error', code: 'body_too_large', message });
  };
  if (Number(request.headers.get('content-length') ?? 0) > limits.maxBodyBytes) throw tooLong();
  if (request.body === null) return;
  const reader: ReadableStreamDefaultReader<Uint8Array> = request.body.getReader();
  const deadline = performance.now() + limits.uploadSeconds * 1000;
  let length = 0;
  try {
    for (;;) {
      const patience = Math.min(limits.uploadIdleSeconds * 1000, deadline - performance.now());
      const { done, value } = await within(reader.read(), patience);
      if (done) return;
      length += value.length;
      if (length > limits.maxBodyBytes) throw tooLong();
      lease.take(value.length);
      yield value;
    }
  } finally {
    // So that what is left can be thrown away.
    reader.releaseLock();
  }
}

/** The whole body at once. Throws as `readBody` does. */
export async function readWholeBody(
  request: Request,
  options: { limits: BodyLimits; lease: ByteLease },
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of readBody(request, options)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function within<Value>(reading: Promise<Value>, milliseconds: number): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    const message = 'Expected the body sooner; it stood still or came too slowly';
    const error = new ApiError({ status: 408, type: 'invalid_request_error', code: 'upload_timeout', message });
    timer = setTimeout(() => reject(error), Math.max(0, milliseconds));
  });
  // After a timeout nobody waits for it any more.
  reading.catch(() => undefined);
  try {
    return await Promise.race([reading, timeout]);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    const message = 'Expected the whole body but it was cut off';
    throw new ApiError({ status: 400, type: 'invalid_request_error', code: 'body_cut_off', message, cause });
  } finally {
    clearTimeout(timer);
  }
}
