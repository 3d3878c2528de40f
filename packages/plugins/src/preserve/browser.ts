import type { Plugin } from '@vibe-edit/core/runtime';
import { createPreserve, type PreserveOptions } from './create-preserve.js';
import { createSliceRunner } from './slice-runner.js';

export type { PreserveOptions } from './create-preserve.js';

/** The plugin for browsers: the same, on the page's thread in slices of a few milliseconds. Described beside its namesake for Node. */
export function preserve(options?: PreserveOptions): Plugin {
  return createPreserve(createSliceRunner, options);
}
