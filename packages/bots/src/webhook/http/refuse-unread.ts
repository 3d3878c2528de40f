import type { Context } from 'hono';
import type { ErrorBody } from '../error-response.js';

/** What is taken in of a body that nobody wants, at the most, before the connection ends. */
const DISCARD_BYTES = 128 * 1024 * 1024;
const DISCARD_SECONDS = 10;

/**
 * Answers a request whose body was not read to its end, and ends its connection: the rest would be in the way of the next request.
 * Many clients listen only once they have sent everything, and a connection that is closed meanwhile takes the answer with it. So the
 * whole answer goes out at once, and what still comes is thrown away for a while before its end.
 */
export function refuseUnread(
  c: Context,
  options: { error: ErrorBody; status: number; headers: Readonly<Record<string, string>> },
): Response {
  const { error, status, headers } = options;
  const answer = new TextEncoder().encode(JSON.stringify(error));
  const all = {
    ...headers,
    'content-type': 'application/json',
    'content-length': String(answer.length),
    connection: 'close',
  };
  const unread = c.req.raw.body;
  if (unread === null || unread.locked) return c.newResponse(answer, status as 400, all);
  const rest: ReadableStreamDefaultReader<Uint8Array> = unread.getReader();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(answer),
    async pull(controller) {
      await discard(rest);
      controller.close();
    },
    cancel: () => rest.cancel().catch(() => undefined),
  });
  return c.newResponse(body, status as 400, all);
}

async function discard(rest: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  // Ends a read that waits, too.
  const timer = setTimeout(() => void rest.cancel().catch(() => undefined), DISCARD_SECONDS * 1000);
  try {
    for (let bytes = 0; bytes <= DISCARD_BYTES; ) {
      const { done, value } = await rest.read();
      if (done) return;
      bytes += value.length;
    }
    await rest.cancel();
  } catch {
    // The connection broke: nobody is there to be answered.
  } finally {
    clearTimeout(timer);
  }
}
