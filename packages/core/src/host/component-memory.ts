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
 * Bytes of each component's weights: in float32, which is the most a backend takes for them, or as they are stored.
 */
export function componentBytes(
  checkpoint: Checkpoint,
  as: 'float32' | 'stored' = 'float32',
): Readonly<Record<Component, number>> {
  const bytes = Object.fromEntries(COMPONENTS.map((component) => [component, 0])) as Record<Component, number>;
  for (const folder of ['textEncoder', 'transformer', 'vae'] as const) {
    for (const [key, { shape, byteLength }] of checkpoint[folder].stateDict) {
      bytes[componentOf(folder, key)] += as === 'stored' ? byteLength : elementCount(shape) * FLOAT32_BYTES;
    }
  }
  return bytes;
}
