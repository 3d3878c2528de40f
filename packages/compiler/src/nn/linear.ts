import type { Value } from '../ir/graph.js';
import type { Scope } from '../ir/scope.js';
import type { Dim } from '../ir/shape.js';

/**
 * x W^T + b over the last axis; `scope` holds `weight` [out, in] and `bias` [out].
 *
 * @param width Size of the output; checked against the weight.
 * @param options.bias Whether the layer has one; the model's definition says so, not the file, where it may be missing. Default true.
 */
export function linear(scope: Scope, x: Value, width: Dim, options: { bias?: boolean } = {}): Value {
  const { op } = scope;
  const weight = scope.weight('weight', [width, x.shape.at(-1) as Dim]);
  const bias = options.bias === false ? undefined : scope.weight('bias', [width]);
  if (x.shape.length === 2) return op.Gemm(x, weight, bias);
  const y = op.MatMul(x, op.Transpose(weight, [1, 0]));
  return bias === undefined ? y : op.Add(y, bias);
}
