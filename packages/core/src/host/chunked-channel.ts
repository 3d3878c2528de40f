import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DType } from '../backend/tensor.js';
import { throwIfAborted } from '../errors/aborted-error.js';
import type { Envelope, WireTensor } from './messages.js';

/**
 * Bytes a frame. Node copies and joins a message of the channel several times, so that its cost grows faster than its size;
 * at this size a frame takes about a millisecond on either side.
 */
export const CHUNK_BYTES = 256 * 1024;

/** A tensor whose bytes went ahead in chunks. */
interface SentTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly transfer: number;
}

/** What really goes over the wire. */
export type Frame<Body> =
  | {
      readonly frame: 'chunk';
      readonly transfer: number;
      readonly total: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly frame: 'discard'; readonly transfer: number }
  | {
      readonly frame: 'message';
      readonly body: Body;
      readonly tensors: Readonly<Record<string, WireTensor | SentTensor>>;
    };

export interface ChunkedChannel<Outgoing, Incoming> {
  /**
   * Sends a message, large tensors first and in chunks; each waits until the one before it was written, so that neither side's
   * memory nor event loop fills up.
   * @throws {AbortedError} when the signal is aborted before the message itself went out; the other side then sees nothing of it.
   */
  send(envelope: Envelope<Outgoing>, signal?: AbortSignal): Promise<void>;
  /** Takes a frame of the other side; gives the message when it is complete. */
  receive(frame: Frame<Incoming>): Envelope<Incoming> | undefined;
}

/** Messages with tensors of any size over a channel that wants small messages. `post` resolves when the frame was written. */
export function createChunkedChannel<Outgoing, Incoming>(options: {
  post(frame: Frame<Outgoing>): Promise<void>;
}): ChunkedChannel<Outgoing, Incoming> {
  const { post } = options;
  const arriving = new Map<number, Uint8Array>();
  let lastTransfer = 0;

  async function sendChunks(bytes: Uint8Array, transfer: number, signal: AbortSignal | undefined): Promise<void> {
    for (let offset = 0; offset < bytes.length; offset += CHUNK_BYTES) {
      throwIfAborted(signal);
      const chunk = bytes.subarray(offset, offset + CHUNK_BYTES);
      await post({ frame: 'chunk', transfer, total: bytes.length, offset, bytes: chunk });
      // A write that the pipe takes at once completes without a turn of the event loop.
      await nextTurn();
    }
  }

  return {
    async send(envelope, signal) {
      const tensors: Record<string, WireTensor | SentTensor> = {};
      const transfers: number[] = [];
      try {
        for (const [name, tensor] of Object.entries(envelope.tensors)) {
          if ('kept' in tensor || tensor.bytes.length <= CHUNK_BYTES) {
            tensors[name] = tensor;
            continue;
          }
          lastTransfer += 1;
          const transfer = lastTransfer;
          transfers.push(transfer);
          await sendChunks(tensor.bytes, transfer, signal);
          tensors[name] = { dtype: tensor.dtype, shape: tensor.shape, transfer };
        }
        throwIfAborted(signal);
      } catch (error) {
        for (const transfer of transfers) await post({ frame: 'discard', transfer });
        throw error;
      }
      await post({ frame: 'message', body: envelope.body, tensors });
    },

    receive(frame) {
      if (frame.frame === 'chunk') {
        const buffer = arriving.get(frame.transfer) ?? new Uint8Array(frame.total);
        arriving.set(frame.transfer, buffer);
        buffer.set(frame.bytes, frame.offset);
        return undefined;
      }
      if (frame.frame === 'discard') {
        arriving.delete(frame.transfer);
        return undefined;
      }
      const tensors: Record<string, WireTensor> = {};
      for (const [name, tensor] of Object.entries(frame.tensors)) {
        if (!('transfer' in tensor)) {
          tensors[name] = tensor;
          continue;
        }
        const bytes = arriving.get(tensor.transfer) ?? new Uint8Array(0);
        arriving.delete(tensor.transfer);
        tensors[name] = { dtype: tensor.dtype, shape: tensor.shape, bytes };
      }
      return { body: frame.body, tensors };
    },
  };
}
