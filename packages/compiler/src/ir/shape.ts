/** A size: known, or a name for one that is known only when the graph runs. */
export type Dim = number | string;

export type Shape = readonly Dim[];

/** Element types of values inside a graph. */
export type ElementType = 'float32' | 'float16' | 'bfloat16' | 'float64' | 'int64' | 'int32' | 'uint8' | 'bool';

/** Writes a shape as `[batch, 16, 64]`. */
export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** Whether two sizes can be equal: symbols are equal to themselves and may be equal to anything else. */
export function compatible(a: Dim, b: Dim): boolean {
  return typeof a === 'string' || typeof b === 'string' || a === b;
}

/** The product of sizes; symbolic unless all are known. */
export function product(dims: Shape): Dim {
  const symbols = dims.filter((dim) => typeof dim === 'string');
  const known = dims.reduce<number>((total, dim) => (typeof dim === 'number' ? total * dim : total), 1);
  if (symbols.length === 0) return known;
  if (known === 0) return 0;
  return known === 1 ? symbols.join('*') : [...symbols, known].join('*');
}

/** The sum of sizes; symbolic unless all are known. */
export function sum(dims: Shape): Dim {
  if (dims.every((dim) => typeof dim === 'number')) return dims.reduce<number>((total, dim) => total + Number(dim), 0);
  return dims.join('+');
}

/** The shape of an element-wise operation's result, or undefined where the shapes do not broadcast. */
export function broadcast(a: Shape, b: Shape): Shape | undefined {
  const rank = Math.max(a.length, b.length);
  const result: Dim[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left === 1) result.push(right);
    else if (right === 1 || left === right) result.push(left);
    else if (!compatible(left, right)) return undefined;
    else result.push(typeof left === 'number' ? left : right);
  }
  return result;
}
