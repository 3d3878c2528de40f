import { describe, expect, test } from 'vitest';
import { AbortedError } from '../errors/aborted-error.js';
import { CHUNK_BYTES, createChunkedChannel, type Frame } from './chunked-channel.js';
import type { Envelope, WireTensor } from './messages.js';

/** A channel that writes into a list of frames, and another that reads them. */
function pair(onPost: () => void = () => {}) {
  const frames: Frame<string>[] = [];
  const sender = createChunkedChannel<string, string>({
    async post(frame) {
      frames.push(structuredClone(frame));
      onPost();
    },
  });
  const receiver = createChunkedChannel<string, string>({ post: async () => {} });
  const arrived = (): Envelope<string>[] => frames.flatMap((frame) => receiver.receive(frame) ?? []);
  return { sender, frames, arrived };
}

const bytes = (length: number): Uint8Array => Uint8Array.from({ length }, (_, index) => index * 7 + (index >> 8));

/** Compares large tensors quickly. */
function expectSame(received: WireTensor | undefined, expected: { shape: readonly number[]; bytes: Uint8Array }): void {
  expect(received?.shape).toEqual(expected.shape);
  expect(received !== undefined && 'bytes' in received && Buffer.compare(received.bytes, expected.bytes)).toBe(0);
}

describe('a channel in chunks', () => {
  test('sends small tensors with their message and large ones ahead', async () => {
    const { sender, frames, arrived } = pair();
    const small = { dtype: 'uint8', shape: [5], bytes: bytes(5) } as const;
    const large = { dtype: 'uint8', shape: [2 * CHUNK_BYTES + 3], bytes: bytes(2 * CHUNK_BYTES + 3) } as const;
    const kept = { dtype: 'float32', shape: [1], kept: 4 } as const;
    await sender.send({ body: 'hello', tensors: { small, large, kept } });
    expect(frames.map(({ frame }) => frame)).toEqual(['chunk', 'chunk', 'chunk', 'message']);
    for (const frame of frames)
      if (frame.frame === 'chunk') expect(frame.bytes.length).toBeLessThanOrEqual(CHUNK_BYTES);
    const [received, ...others] = arrived();
    expect(others).toEqual([]);
    expect(received).toMatchObject({ body: 'hello', tensors: { small, kept } });
    expectSame(received?.tensors.large, large);
  });

  test('messages sent at the same time do not mix', async () => {
    const { sender, arrived } = pair();
    const tensors = [1, 2, 3].map((factor) => ({
      dtype: 'uint8' as const,
      shape: [factor * CHUNK_BYTES + 1],
      bytes: new Uint8Array(factor * CHUNK_BYTES + 1).fill(factor),
    }));
    await Promise.all(tensors.map((x, index) => sender.send({ body: `${index}`, tensors: { x } })));
    const received = arrived();
    expect(received.length).toBe(3);
    for (const { body, tensors: got } of received) expectSame(got.x, tensors[Number(body)]!);
  });

  test('an abort on the way leaves nothing on the other side', async () => {
    const controller = new AbortController();
    const { sender, frames, arrived } = pair(() => controller.abort());
    const x = { dtype: 'uint8', shape: [3 * CHUNK_BYTES], bytes: bytes(3 * CHUNK_BYTES) } as const;
    await expect(sender.send({ body: 'never', tensors: { x } }, controller.signal)).rejects.toBeInstanceOf(
      AbortedError,
    );
    expect(frames.map(({ frame }) => frame)).toEqual(['chunk', 'discard']);
    expect(arrived()).toEqual([]);
  });

  test('waits for one chunk before it sends the next', async () => {
    let writing = 0;
    const sender = createChunkedChannel<string, string>({
      async post() {
        writing += 1;
        expect(writing).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 2));
        writing -= 1;
      },
    });
    const x = { dtype: 'uint8', shape: [4 * CHUNK_BYTES], bytes: bytes(4 * CHUNK_BYTES) } as const;
    await sender.send({ body: 'slow', tensors: { x } });
  });
});
