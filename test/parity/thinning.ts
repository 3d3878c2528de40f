/** A tensor cut down the way its name in the golden data says. */
export interface Thinned {
  /** The name without the brackets. */
  readonly name: string;
  apply(tensor: { shape: readonly number[]; values: ArrayLike<number> }): Float32Array;
}

/**
 * Reads names such as `visual.blocks.0[every 3rd patch of the first picture]`,
 * `vae.encoder.conv_in[stride=24][first of the batch]` or `decoded[stride=4]`.
 */
export function readThinning(name: string): Thinned {
  const [bare = name, ...notes] = name.split('[');
  const text = notes.join(' ');
  const stride = Number(/stride=(\d+)/.exec(text)?.[1] ?? 1);
  const patches = Number(/every (\d+)\w+ patch/.exec(text)?.[1] ?? 1);
  const tokens = Number(/every (\d+)\w+ token/.exec(text)?.[1] ?? 1);
  const first = text.includes('first of the batch');
  return {
    name: bare,
    apply({ shape, values }) {
      const steps = shape.map((_, axis) => {
        if (axis === 0) return patches;
        if (axis === 1 && tokens > 1) return tokens;
        return stride > 1 && axis >= shape.length - 2 ? stride : 1;
      });
      const limits = shape.map((size, axis) => (axis === 0 && first ? 1 : size));
      return pick(shape, values, limits, steps);
    },
  };
}

/** Every `steps[axis]`-th entry of each axis, up to `limits[axis]`. */
export function pick(
  shape: readonly number[],
  values: ArrayLike<number>,
  limits: readonly number[],
  steps: readonly number[],
): Float32Array {
  const counts = limits.map((limit, axis) => Math.ceil(limit / (steps[axis] ?? 1)));
  const result = new Float32Array(counts.reduce((total, count) => total * count, 1));
  const at = new Array<number>(shape.length).fill(0);
  for (let index = 0; index < result.length; index++) {
    let offset = 0;
    for (const [axis, size] of shape.entries()) offset = offset * size + (at[axis] ?? 0) * (steps[axis] ?? 1);
    result[index] = values[offset] as number;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis] = (at[axis] ?? 0) + 1;
      if ((at[axis] ?? 0) < (counts[axis] ?? 0)) break;
      at[axis] = 0;
    }
  }
  return result;
}
