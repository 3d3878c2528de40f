import type { Context } from 'hono';

/** One event of `text/event-stream` (HTML, section 9.2). */
export interface ServerSentEvent {
  readonly event?: string;
  readonly id?: string;
  /** JSON: it has no line breaks. */
  readonly data: string;
}

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // Reverse proxies of nginx's kind hold back what they buffer.
  'x-accel-buffering': 'no',
};

/**
 * Answers with events as they come, and with comments in between so that nobody on the way takes the connection for dead.
 *
 * @param c The request's context: headers that were set on it go along.
 * @param options.onClose Called once when the stream ends, by either side.
 */
export function eventStreamResponse(
  c: Context,
  options: {
    events: AsyncIterable<ServerSentEvent>;
    heartbeatSeconds: number;
    onClose?: () => void;
  },
): Response {
  const { events, heartbeatSeconds, onClose = () => undefined } = options;
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let next: Promise<IteratorResult<ServerSentEvent>> | undefined;
  let begun = false;
  let closed = false;
  const close = (): void => {
    if (!closed) onClose();
    closed = true;
  };

  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    // Sends the head of the answer on its way before the first event is there.
    if (!begun) {
      begun = true;
      return controller.enqueue(encoder.encode(': ok\n\n'));
    }
    next ??= iterator.next();
    const result = await beforeHeartbeat(next, heartbeatSeconds);
    if (closed) return;
    if (result === undefined) return controller.enqueue(encoder.encode(': still here\n\n'));
    next = undefined;
    if (result.done === true) {
      close();
      return controller.close();
    }
    controller.enqueue(encoder.encode(formatEvent(result.value)));
  };

  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          await pull(controller);
        } catch {
          // The source of events says itself what went wrong, as an event; an answer that has begun can only end.
          if (!closed) controller.close();
          close();
        }
      },
      cancel() {
        close();
        // Not awaited: the source may be in the middle of waiting.
        iterator.return?.().catch(() => undefined);
      },
    },
    // Nothing is asked of the source before somebody reads.
    { highWaterMark: 0 },
  );
  return c.newResponse(body, 200, HEADERS);
}

export function formatEvent({ event, id, data }: ServerSentEvent): string {
  return `${event === undefined ? '' : `event: ${event}\n`}${id === undefined ? '' : `id: ${id}\n`}data: ${data}\n\n`;
}

async function beforeHeartbeat<Value>(next: Promise<Value>, seconds: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const heartbeat = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, seconds * 1000, undefined);
  });
  try {
    return await Promise.race([next, heartbeat]);
  } finally {
    clearTimeout(timer);
  }
}
