import type { Value } from '../ir/graph.js';
import type { Scope } from '../ir/scope.js';
import type { Dim } from '../ir/shape.js';

/** LayerNorm over the last axis with the module's own scale and bias. */
export function layerNorm(scope: Scope, x: Value, epsilon: number): Value {
  const width = x.shape.at(-1) as Dim;
  return scope.op.LayerNormalization(x, scope.weight('weight', [width]), scope.weight('bias', [width]), epsilon);
}

/** LayerNorm over the last axis without scale and bias (`elementwise_affine=False`). */
export function plainLayerNorm(scope: Scope, x: Value, epsilon: number): Value {
  const width = x.shape.at(-1);
  if (typeof width !== 'number') scope.op.fail('LayerNormalization', 'a known width', String(width));
  return scope.op.LayerNormalization(x, scope.op.float(new Array<number>(width).fill(1)), undefined, epsilon);
}

/** RMSNorm over the last axis with the module's scale. */
export function rmsNorm(scope: Scope, x: Value, epsilon: number): Value {
  return scope.op.RmsNormalization(x, scope.weight('weight', [x.shape.at(-1) as Dim]), epsilon);
}
