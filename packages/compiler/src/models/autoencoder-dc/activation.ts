import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';

/** An activation by the name that the config has for it. @throws {GraphError} when there is none of that name. */
export function activation(scope: Scope, name: string, x: Value): Value {
  const { op } = scope;
  switch (name) {
    case 'silu':
      return op.Silu(x);
    case 'relu':
      return op.Relu(x);
    case 'gelu':
      return op.Gelu(x);
    case 'mish':
      return op.Mul(x, op.Tanh(op.Softplus(x)));
    default:
      return op.fail('activation', 'silu, relu, gelu or mish', name);
  }
}
