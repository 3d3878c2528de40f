import type { WeightInput } from '@vibe-edit/compiler';
import { createOffload } from '@vibe-edit/core';
import { type ReadTensors, readFloat32, type StoredTensor } from './read-float32.js';

type Reader = typeof import('./read-float32.js');

/**
 * Reads weights as float32, on several threads: a runtime's own conversion is done on one, several times slower.
 *
 * @param options.threads Threads that read; with 1 this one does, and is blocked meanwhile.
 * @throws {Error} when a file cannot be read or is shorter than its tensors.
 * @throws {AbortedError} when the signal is aborted.
 */
export async function loadMatrices(options: {
  weights: readonly WeightInput[];
  threads: number;
  signal?: AbortSignal | undefined;
}): Promise<ReadonlyMap<string, Float32Array>> {
  const { weights, threads, signal } = options;
  const shares = split(
    weights.map(({ name, tensor }) => ({ ...tensor, name })),
    threads,
  );
  const loaded = await Promise.all(
    shares.map((share) => (threads === 1 ? readFloat32(share) : readApart(share, signal))),
  );
  const matrices = new Map<string, Float32Array>();
  for (const [index, { slabs, places }] of loaded.entries()) {
    for (const [at, { slab, start, length }] of places.entries()) {
      const { name } = (shares[index] as StoredTensor[])[at] as StoredTensor;
      matrices.set(name, (slabs[slab] as Float32Array).subarray(start, start + length));
    }
  }
  return matrices;
}

async function readApart(share: readonly StoredTensor[], signal: AbortSignal | undefined): Promise<ReadTensors> {
  const offload = createOffload<Reader>({ module: new URL('./read-float32.js', import.meta.url) });
  try {
    return await offload.run({ name: 'readFloat32', args: [share], signal });
  } finally {
    await offload.close();
  }
}

/** Shares of about as many bytes, the largest tensors first. */
function split(tensors: readonly StoredTensor[], count: number): StoredTensor[][] {
  const shares = Array.from({ length: Math.min(count, tensors.length) }, () => ({
    bytes: 0,
    tensors: [] as StoredTensor[],
  }));
  for (const tensor of tensors.toSorted((a, b) => b.byteLength - a.byteLength)) {
    const least = shares.reduce((a, b) => (b.bytes < a.bytes ? b : a));
    least.tensors.push(tensor);
    least.bytes += tensor.byteLength;
  }
  return shares.map((share) => share.tensors);
}
