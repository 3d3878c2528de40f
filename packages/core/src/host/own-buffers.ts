import type { Envelope } from './messages.js';

/**
 * The buffers of a message's tensors that can be moved to another thread instead of copied: those that a tensor covers in full.
 */
export function ownBuffers(envelope: Envelope<unknown>): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const tensor of Object.values(envelope.tensors)) {
    if ('kept' in tensor) continue;
    const { buffer, byteLength } = tensor.bytes;
    if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) buffers.add(buffer);
  }
  return [...buffers];
}
