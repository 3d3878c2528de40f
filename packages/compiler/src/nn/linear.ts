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
  const weight = scope.matrix('weight', [width, x.shape.at(-1) as Dim]);
  const bias = options.bias === false ? undefined : scope.weight('bias', [width]);
  const input = widened(scope, x, weight.shape[1] as Dim);
  if (x.shape.length === 2) return op.Gemm(input, weight, bias);
  const y = op.MatMul(input, op.Transpose(weight, [1, 0]));
  return bias === undefined ? y : op.Add(y, bias);
}

/** x with as many columns as the weight, which has zeros for those that x lacks: any finite values do. */
function widened({ op }: Scope, x: Value, width: Dim): Value {
  const own = x.shape.at(-1);
  if (typeof own !== 'number' || typeof width !== 'number' || own === width) return x;
  return op.Concat([x, op.Slice(x, -1, 0, width - own)], -1);
}
