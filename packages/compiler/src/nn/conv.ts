import type { Value } from '../ir/graph.js';
import type { Scope } from '../ir/scope.js';
import type { Dim } from '../ir/shape.js';

/**
 * 2-D convolution with "same" padding for odd kernels; `scope` holds `weight` [out, in / groups, k, k] and `bias`.
 *
 * @param options.channels Output channels; checked against the weight.
 * @param options.kernel Side of the kernel.
 * @param options.bias Whether the layer has one; the model's definition says so, not the file, where it may be missing. Default true.
 */
export function conv2d(
  scope: Scope,
  x: Value,
  options: { channels: number; kernel: number; stride?: number; padding?: number; groups?: number; bias?: boolean },
): Value {
  const { channels, kernel, stride = 1, padding = (kernel - 1) / 2, groups = 1 } = options;
  const input = x.shape[1] as Dim;
  const inner = typeof input === 'number' ? input / groups : input;
  const weight = scope.weight('weight', [channels, inner, kernel, kernel]);
  const bias = options.bias === false ? undefined : scope.weight('bias', [channels]);
  return scope.op.Conv(x, weight, bias, { stride, padding, groups });
}
