import { runInSlices } from '@vibe-edit/core/runtime';
import { analyseEdit } from './preserve-work.js';
import { renderStrip } from './render-strip.js';
import type { Runner } from './runner.js';

/** Works on the caller's thread and gives way to the event loop every few milliseconds: for browsers. */
export function createSliceRunner(): Runner {
  return {
    share: async (values) => values,
    analyse: (input, signal) => runInSlices(analyseEdit(input), { signal }),
    render: (strip, signal) => runInSlices(renderStrip(strip), { signal }),
    close: async () => {},
  };
}
