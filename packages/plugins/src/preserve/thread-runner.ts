import { createOffload, type Offload } from '@vibe-edit/core';
import { nextTurn, throwIfAborted } from '@vibe-edit/core/runtime';
import type { Runner } from './runner.js';

type Worker = typeof import('./preserve-worker.js');

/** Values copied between two turns of the event loop: about a millisecond's worth. */
const COPIED_AT_ONCE = 1 << 20;

/** Works in a thread of its own: for Node. The thread starts with the first edit. */
export function createThreadRunner(): Runner {
  let offload: Offload<Worker> | undefined;
  const thread = (): Offload<Worker> => {
    offload ??= createOffload<Worker>({ module: new URL('./preserve-worker.js', import.meta.url) });
    return offload;
  };
  return {
    async share(values, signal) {
      const shared = new Float32Array(new SharedArrayBuffer(values.byteLength));
      for (let start = 0; start < values.length; start += COPIED_AT_ONCE) {
        shared.set(values.subarray(start, start + COPIED_AT_ONCE), start);
        await nextTurn();
        throwIfAborted(signal);
      }
      return shared;
    },
    analyse: (input, signal) => thread().run({ name: 'analyse', args: [input], signal }),
    render: (strip, signal) => {
      const { buffer } = strip.pixels;
      const transfer = buffer instanceof ArrayBuffer ? [buffer] : [];
      return thread().run({ name: 'render', args: [strip], transfer, signal });
    },
    async close() {
      const closing = offload;
      offload = undefined;
      await closing?.close();
    },
  };
}
