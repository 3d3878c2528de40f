import { InvalidCheckpointError } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../../ir/ops.js';

/** Activations by the names that the configs of transformers use (`hidden_act`). */
const ACTIVATIONS: Readonly<Record<string, (op: Ops, x: Value) => Value>> = {
  gelu: (op, x) => op.Gelu(x),
  gelu_new: (op, x) => op.FastGelu(x),
  gelu_pytorch_tanh: (op, x) => op.FastGelu(x),
  relu: (op, x) => op.Relu(x),
  silu: (op, x) => op.Silu(x),
  swish: (op, x) => op.Silu(x),
};

/**
 * Applies the activation that a config names.
 * @param part Section of `text_encoder/config.json`, for the error message.
 * @throws {InvalidCheckpointError} when no activation of that name is known.
 */
export function activation(op: Ops, x: Value, name: string, part: 'text_config' | 'vision_config'): Value {
  const apply = Object.hasOwn(ACTIVATIONS, name) ? ACTIVATIONS[name] : undefined;
  if (apply === undefined) {
    throw new InvalidCheckpointError({
      file: 'text_encoder/config.json',
      field: `${part}.hidden_act`,
      expected: `one of ${Object.keys(ACTIVATIONS).join(', ')}`,
      received: name,
    });
  }
  return apply(op, x);
}
