import { COMPONENTS, type Component } from '../backend/component.js';
import { elementCount } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';

const FLOAT32_BYTES = 4;
const CONTEXT_KEY = /^(caption_projection|caption_norm)\.|\.attn2\.(to_k|to_v|norm_k)\./;

/** Which component reads a weight. */
function componentOf(folder: 'textEncoder' | 'transformer' | 'vae', key: string): Component {
  switch (folder) {
    case 'textEncoder':
      return key.startsWith('model.visual.') ? 'visionEncoder' : 'textEncoder';
    case 'transformer':
      if (key.startsWith('edit_head.') || key === 'meta_queries') return 'connector';
      return CONTEXT_KEY.test(key) ? 'transformerContext' : 'transformer';
    case 'vae':
      return key.startsWith('encoder.') ? 'vaeEncoder' : 'vaeDecoder';
  }
}

/**
 * Bytes that a component's weights take when a backend computes in float32, which is the most any does. Where weights stay mapped
 * or in half precision it is less.
 */
export function componentBytes(checkpoint: Checkpoint): Readonly<Record<Component, number>> {
  const bytes = Object.fromEntries(COMPONENTS.map((component) => [component, 0])) as Record<Component, number>;
  for (const folder of ['textEncoder', 'transformer', 'vae'] as const) {
    for (const [key, { shape }] of checkpoint[folder].stateDict) {
      bytes[componentOf(folder, key)] += elementCount(shape) * FLOAT32_BYTES;
    }
  }
  return bytes;
}
