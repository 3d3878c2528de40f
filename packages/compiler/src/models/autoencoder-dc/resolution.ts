import type { Value } from '../../ir/graph.js';
import type { Ops, TargetSize } from '../../ir/ops.js';
import type { Dim, Shape } from '../../ir/shape.js';

/** Height and width of the feature maps of one stage, both int64 [1]; known when the graph runs. */
export interface Resolution {
  readonly height: Value;
  readonly width: Value;
}

/** The feature maps' resolution `doublings` stages above the latents. */
export function resolutionAt(op: Ops, latentSize: Value, doublings: number): Resolution {
  const factor = 2 ** doublings;
  return {
    height: op.sizeAt(latentSize, 0, 'latent_height', factor).value,
    width: op.sizeAt(latentSize, 1, 'latent_width', factor).value,
  };
}

/** Height and width as sizes for `Reshape`, called as those of `like` [batch, channels, height, width] are. */
export function spatialSizes(resolution: Resolution, like: Shape): [TargetSize, TargetSize] {
  const size = (value: Value, dim: Dim): TargetSize => (typeof dim === 'number' ? dim : { value, dim });
  return [size(resolution.height, like[2] as Dim), size(resolution.width, like[3] as Dim)];
}

/** The value with other names for its sizes that are known at run time only. */
export function withNames(value: Value, names: Shape): Value {
  return { ...value, shape: value.shape.map((dim, axis) => (typeof dim === 'string' ? (names[axis] ?? dim) : dim)) };
}
