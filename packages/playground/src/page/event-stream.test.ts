import { ReadableStream as NodeStream } from 'node:stream/web';
import { expect, test } from 'vitest';
import { readEventStream, type StreamEvent } from './event-stream.js';

async function read(chunks: readonly string[]): Promise<StreamEvent[]> {
  const encoder = new TextEncoder();
  const bytes = chunks.map((chunk) => encoder.encode(chunk));
  const events: StreamEvent[] = [];
  for await (const event of readEventStream(NodeStream.from(bytes) as unknown as ReadableStream<Uint8Array>))
    events.push(event);
  return events;
}

test('events, ids and comments', async () => {
  expect(
    await read([': ok\n\n', 'event: progress\nid: 3\ndata: {"step":1}\n\n: still here\n\ndata: x\ndata: y\n\n']),
  ).toEqual([
    { type: 'progress', id: '3', data: '{"step":1}' },
    { type: 'message', id: undefined, data: 'x\ny' },
  ]);
});

test('cut anywhere, even within a character', async () => {
  const text = 'event: a\ndata: "wärmer"\n\nevent: b\r\ndata: 2\r\n\r\n';
  const whole = await read([text]);
  expect(whole.map(({ type, data }) => [type, data])).toEqual([
    ['a', '"wärmer"'],
    ['b', '2'],
  ]);
  const bytes = new TextEncoder().encode(text);
  for (let cut = 1; cut < bytes.length; cut++) {
    const parts = [bytes.slice(0, cut), bytes.slice(cut)];
    const events: StreamEvent[] = [];
    for await (const event of readEventStream(NodeStream.from(parts) as unknown as ReadableStream<Uint8Array>))
      events.push(event);
    expect(events).toEqual(whole);
  }
});

test('an event that is not finished is none', async () => {
  expect(await read(['data: 1\n\n', 'data: 2\n'])).toEqual([{ type: 'message', id: undefined, data: '1' }]);
});
