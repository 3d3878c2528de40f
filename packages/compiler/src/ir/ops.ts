import { float32Bytes, int32Bytes, int64Bytes } from './constants.js';
import type { Attribute, Graph, Value } from './graph.js';
import { GraphError } from './graph-error.js';
import { broadcast, compatible, type Dim, type ElementType, formatShape, product, type Shape, sum } from './shape.js';

/** A size that is known only when the graph runs: an int64 [1] value and the name it has in shapes. */
export interface RuntimeSize {
  readonly value: Value;
  readonly dim: string;
}

/** A target size of a reshape: a number (0 copies, -1 takes the rest) or a size known at run time. */
export type TargetSize = number | RuntimeSize;

/**
 * ONNX operators (opset 22 and com.microsoft), each a method that adds a node and gives its result with type and shape.
 * Nodes are named after the path of the module they belong to.
 */
export class Ops {
  readonly #graph: Graph;
  readonly #path: string;

  constructor(graph: Graph, path: string) {
    this.#graph = graph;
    this.#path = path;
  }

  /** Adds a node with one result. */
  node(
    opType: string,
    inputs: readonly (Value | undefined)[],
    output: { dtype: ElementType; shape: Shape },
    attributes: Readonly<Record<string, Attribute>> = {},
    domain: '' | 'com.microsoft' = '',
  ): Value {
    const [value] = this.#graph.addNode({
      name: `${this.#path}/${opType}`,
      opType,
      domain,
      inputs,
      outputs: [output],
      attributes,
    });
    return value as Value;
  }

  fail(op: string, expected: string, received: string): never {
    throw new GraphError({ op, node: this.#path, expected, received });
  }

  float(values: number | readonly number[], shape?: Shape): Value {
    const list = typeof values === 'number' ? [values] : values;
    return this.#graph.addConstant(
      'float32',
      shape ?? (typeof values === 'number' ? [] : [list.length]),
      float32Bytes(list),
    );
  }

  int64(values: number | readonly number[]): Value {
    const list = typeof values === 'number' ? [values] : values;
    return this.#graph.addConstant('int64', typeof values === 'number' ? [] : [list.length], int64Bytes(list));
  }

  int32(value: number): Value {
    return this.#graph.addConstant('int32', [], int32Bytes([value]));
  }

  Add(a: Value, b: Value): Value {
    return this.#elementwise('Add', a, b);
  }

  Sub(a: Value, b: Value): Value {
    return this.#elementwise('Sub', a, b);
  }

  Mul(a: Value, b: Value): Value {
    return this.#elementwise('Mul', a, b);
  }

  Div(a: Value, b: Value): Value {
    return this.#elementwise('Div', a, b);
  }

  #elementwise(opType: string, a: Value, b: Value): Value {
    const shape = broadcast(a.shape, b.shape);
    if (shape === undefined || a.dtype !== b.dtype) {
      this.fail(opType, 'two values of one type that broadcast', `${describe(a)} and ${describe(b)}`);
    }
    return this.node(opType, [a, b], { dtype: a.dtype, shape });
  }

  #unary(opType: string, x: Value): Value {
    return this.node(opType, [x], x);
  }

  Relu(x: Value): Value {
    return this.#unary('Relu', x);
  }

  Sigmoid(x: Value): Value {
    return this.#unary('Sigmoid', x);
  }

  Sqrt(x: Value): Value {
    return this.#unary('Sqrt', x);
  }

  Sin(x: Value): Value {
    return this.#unary('Sin', x);
  }

  Cos(x: Value): Value {
    return this.#unary('Cos', x);
  }

  Neg(x: Value): Value {
    return this.#unary('Neg', x);
  }

  /** x * sigmoid(x). ONNX Runtime's QuickGelu with alpha 1 is exactly that in one kernel. */
  Silu(x: Value): Value {
    return this.node('QuickGelu', [x], x, { alpha: { float: 1 } }, 'com.microsoft');
  }

  /** The exact GELU, by the error function. */
  Gelu(x: Value): Value {
    return this.node('Gelu', [x], x, {}, 'com.microsoft');
  }

  /** The tanh approximation of GELU. */
  FastGelu(x: Value): Value {
    return this.node('FastGelu', [x], x, {}, 'com.microsoft');
  }

  Tanh(x: Value): Value {
    return this.#unary('Tanh', x);
  }

  /** log(1 + exp(x)) */
  Softplus(x: Value): Value {
    return this.#unary('Softplus', x);
  }

  Clip(x: Value, min: number, max: number): Value {
    return this.node('Clip', [x, this.float(min), this.float(max)], x);
  }

  Softmax(x: Value, axis: number): Value {
    return this.node('Softmax', [x], x, { axis });
  }

  Cast(x: Value, dtype: ElementType): Value {
    return x.dtype === dtype ? x : this.node('Cast', [x], { dtype, shape: x.shape }, { to: ONNX_TYPE[dtype] });
  }

  /** [..., m, k] x [..., k, n]; leading dimensions broadcast. */
  MatMul(a: Value, b: Value): Value {
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    const [m, k] = a.shape.slice(-2);
    const [inner, n] = b.shape.slice(-2);
    if (
      batch === undefined ||
      m === undefined ||
      k === undefined ||
      inner === undefined ||
      n === undefined ||
      !compatible(k, inner)
    ) {
      this.fail('MatMul', 'matrices whose inner sizes agree', `${describe(a)} and ${describe(b)}`);
    }
    return this.node('MatMul', [a, b], { dtype: a.dtype, shape: [...batch, m, n] });
  }

  /** [m, k] x [n, k]^T + bias: a linear layer on a matrix, its weight as the checkpoint has it. */
  Gemm(a: Value, weight: Value, bias?: Value): Value {
    const [m, k] = a.shape;
    const [n, inner] = weight.shape;
    if (
      a.shape.length !== 2 ||
      weight.shape.length !== 2 ||
      m === undefined ||
      k === undefined ||
      n === undefined ||
      inner === undefined ||
      !compatible(k, inner)
    ) {
      this.fail('Gemm', 'a matrix and a weight [out, in] of its width', `${describe(a)} and ${describe(weight)}`);
    }
    return this.node(
      'Gemm',
      bias === undefined ? [a, weight] : [a, weight, bias],
      { dtype: a.dtype, shape: [m, n] },
      { transB: 1 },
    );
  }

  Transpose(x: Value, perm: readonly number[]): Value {
    if (perm.length !== x.shape.length) this.fail('Transpose', `a permutation of ${x.shape.length} axes`, `[${perm}]`);
    return this.node('Transpose', [x], { dtype: x.dtype, shape: perm.map((axis) => x.shape[axis] as Dim) }, { perm });
  }

  /** Reshape without a Shape node: 0 copies the input's size at that place, -1 takes what is left, run-time sizes come as values. */
  Reshape(x: Value, target: readonly TargetSize[]): Value {
    let shape: Dim[] = target.map((size, axis) => {
      if (typeof size !== 'number') return size.dim;
      if (size !== 0) return size;
      const copied = x.shape[axis];
      return copied ?? this.fail('Reshape', `an input of more than ${axis} dimensions`, describe(x));
    });
    const rest = shape.indexOf(-1);
    if (rest !== -1) {
      const others = shape.filter((_, axis) => axis !== rest);
      shape = shape.with(rest, quotient(x.shape, others));
    }
    const total = product(x.shape);
    const made = product(shape);
    if (typeof total === 'number' && typeof made === 'number' && total !== made) {
      this.fail('Reshape', `a shape of ${total} elements`, `${formatShape(shape)} from ${describe(x)}`);
    }
    return this.node('Reshape', [x, this.#shapeTensor(target)], { dtype: x.dtype, shape });
  }

  #shapeTensor(target: readonly TargetSize[]): Value {
    if (target.every((size) => typeof size === 'number')) return this.int64(target);
    return this.Concat(
      target.map((size) => (typeof size === 'number' ? this.int64([size]) : size.value)),
      0,
    );
  }

  /** One entry of an int64 vector as a size for `Reshape`. */
  sizeAt(vector: Value, index: number, dim: string, factor = 1): RuntimeSize {
    const entry = this.node('Gather', [vector, this.int64([index])], { dtype: 'int64', shape: [1] }, { axis: 0 });
    return { value: factor === 1 ? entry : this.Mul(entry, this.int64([factor])), dim };
  }

  Concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    if (first === undefined) this.fail('Concat', 'at least one value', 'none');
    const at = axis < 0 ? first.shape.length + axis : axis;
    for (const value of values) {
      const fits =
        value.dtype === first.dtype &&
        value.shape.length === first.shape.length &&
        value.shape.every((dim, index) => index === at || compatible(dim, first.shape[index] as Dim));
      if (!fits) this.fail('Concat', `values like ${describe(first)}`, describe(value));
    }
    const shape = [...first.shape];
    shape[at] = sum(values.map((value) => value.shape[at] as Dim));
    return this.node('Concat', values, { dtype: first.dtype, shape }, { axis: at });
  }

  /** Cuts an axis into parts of known sizes. */
  Split(x: Value, sizes: readonly number[], axis: number): Value[] {
    const at = axis < 0 ? x.shape.length + axis : axis;
    const total = x.shape[at];
    if (
      total === undefined ||
      !compatible(
        total,
        sizes.reduce((all, size) => all + size, 0),
      )
    ) {
      this.fail('Split', `parts that add up to axis ${axis} of ${describe(x)}`, `[${sizes}]`);
    }
    return this.#graph.addNode({
      name: `${this.#path}/Split`,
      opType: 'Split',
      inputs: [x, this.int64(sizes)],
      outputs: sizes.map((size) => ({ dtype: x.dtype, shape: x.shape.with(at, size) })),
      attributes: { axis: at },
    });
  }

  /** Cuts an axis into two parts of equal size, which may be known at run time only. */
  Halve(x: Value, axis: number): [Value, Value] {
    const size = x.shape[axis];
    const half = typeof size === 'number' ? size / 2 : `${size}/2`;
    const shape = x.shape.with(axis, half);
    const [first, second] = this.#graph.addNode({
      name: `${this.#path}/Split`,
      opType: 'Split',
      inputs: [x],
      outputs: [
        { dtype: x.dtype, shape },
        { dtype: x.dtype, shape },
      ],
      attributes: { axis, num_outputs: 2 },
    });
    return [first as Value, second as Value];
  }

  /** Entries `start` to `end` (not included) of one axis; `step` defaults to 1. */
  Slice(x: Value, axis: number, start: number, end: number, step = 1): Value {
    const at = axis < 0 ? x.shape.length + axis : axis;
    const size = x.shape[at];
    if (size === undefined) this.fail('Slice', `an axis of ${describe(x)}`, String(axis));
    const from = typeof size === 'number' && start < 0 ? size + start : start;
    const to = typeof size === 'number' ? Math.min(end < 0 ? size + end : end, size) : end;
    const length =
      from >= 0 && to >= from && (typeof size === 'number' || to < 2 ** 31)
        ? Math.ceil((to - from) / step)
        : `${size}[${start}:${end}]`;
    return this.node('Slice', [x, this.int64([start]), this.int64([end]), this.int64([at]), this.int64([step])], {
      dtype: x.dtype,
      shape: x.shape.with(at, length),
    });
  }

  Gather(x: Value, indices: Value, axis = 0): Value {
    const shape = [...x.shape.slice(0, axis), ...indices.shape, ...x.shape.slice(axis + 1)];
    return this.node('Gather', [x, indices], { dtype: x.dtype, shape }, { axis });
  }

  Unsqueeze(x: Value, axes: readonly number[]): Value {
    const shape = [...x.shape];
    for (const axis of [...axes].sort((a, b) => a - b)) shape.splice(axis, 0, 1);
    return this.node('Unsqueeze', [x, this.int64(axes)], { dtype: x.dtype, shape });
  }

  Squeeze(x: Value, axes: readonly number[]): Value {
    const shape = x.shape.filter((_, axis) => !axes.includes(axis));
    return this.node('Squeeze', [x, this.int64(axes)], { dtype: x.dtype, shape });
  }

  ReduceMean(x: Value, axes: readonly number[]): Value {
    return this.#reduce('ReduceMean', x, axes);
  }

  ReduceSum(x: Value, axes: readonly number[]): Value {
    return this.#reduce('ReduceSum', x, axes);
  }

  /** Running sum along an axis. */
  CumSum(x: Value, axis: number): Value {
    return this.node('CumSum', [x, this.int64(axis)], x);
  }

  /** Reduced axes stay, with size 1. */
  #reduce(opType: string, x: Value, axes: readonly number[]): Value {
    const at = axes.map((axis) => (axis < 0 ? x.shape.length + axis : axis));
    const shape = x.shape.map((dim, axis) => (at.includes(axis) ? 1 : dim));
    return this.node(opType, [x, this.int64(at)], { dtype: x.dtype, shape }, { keepdims: 1 });
  }

  /**
   * 2-D convolution: x [batch, in, height, width], weight [out, in / groups, kh, kw].
   *
   * @param options.padding Zeros on every side, or on the top, left, bottom and right.
   */
  Conv(
    x: Value,
    weight: Value,
    bias: Value | undefined,
    options: { stride?: number; padding?: number | readonly [number, number, number, number]; groups?: number } = {},
  ): Value {
    const { stride = 1, padding = 0, groups = 1 } = options;
    const [top, left, bottom, right] = typeof padding === 'number' ? [padding, padding, padding, padding] : padding;
    const [batch, channels, height, width] = x.shape;
    const [out, inner, kernelHeight, kernelWidth] = weight.shape;
    const fits =
      x.shape.length === 4 &&
      weight.shape.length === 4 &&
      typeof inner === 'number' &&
      compatible(channels as Dim, inner * groups);
    if (!fits)
      this.fail('Conv', `[batch, channels, height, width] for ${groups} groups of ${describe(weight)}`, describe(x));
    const along = (size: Dim, kernel: Dim, added: number): Dim => {
      if (typeof size === 'number') return Math.floor((size + added - Number(kernel)) / stride) + 1;
      return stride === 1 && added + 1 === kernel ? size : `${size}/${stride}`;
    };
    const outHeight = along(height as Dim, kernelHeight as Dim, top + bottom);
    const outWidth = along(width as Dim, kernelWidth as Dim, left + right);
    return this.node(
      'Conv',
      bias === undefined ? [x, weight] : [x, weight, bias],
      { dtype: x.dtype, shape: [batch as Dim, out as Dim, outHeight, outWidth] },
      {
        kernel_shape: [Number(kernelHeight), Number(kernelWidth)],
        strides: [stride, stride],
        pads: [top, left, bottom, right],
        group: groups,
      },
    );
  }

  /**
   * Moves channels into pictures twice as high and wide: [batch, 4 * channels, height, width] to [batch, channels, 2 * height, 2 * width].
   *
   * @param order Where the channel for row y and column x of a 2x2 cell stands: `CRD` 4 * channel + 2 * y + x, `DCR` (2 * y + x) * channels + channel.
   */
  DepthToSpace(x: Value, order: 'CRD' | 'DCR'): Value {
    const [batch, depth, height, width] = x.shape;
    if (x.shape.length !== 4 || typeof depth !== 'number' || depth % 4 !== 0) {
      this.fail('DepthToSpace', '[batch, channels, height, width] with a multiple of 4 channels', describe(x));
    }
    const shape = [batch as Dim, depth / 4, product([height as Dim, 2]), product([width as Dim, 2])];
    return this.node('DepthToSpace', [x], { dtype: x.dtype, shape }, { blocksize: 2, mode: order });
  }

  LayerNormalization(x: Value, scale: Value, bias: Value | undefined, epsilon: number): Value {
    return this.node('LayerNormalization', bias === undefined ? [x, scale] : [x, scale, bias], x, {
      axis: -1,
      epsilon: { float: epsilon },
    });
  }

  /** x / sqrt(mean(x^2) + epsilon) * scale over the last axis. */
  RmsNormalization(x: Value, scale: Value, epsilon: number): Value {
    return this.node('SimplifiedLayerNormalization', [x, scale], x, { axis: -1, epsilon: { float: epsilon } });
  }

  /**
   * Rotary position embedding, first half of each head against its second half: x [batch, sequence, heads * head_dim], positions
   * int64 [1] (row of the first token) or [batch, sequence] (row of each), cos and sin [rows, head_dim / 2].
   */
  RotaryEmbedding(x: Value, positions: Value, cos: Value, sin: Value): Value {
    const [width, half] = [x.shape[2], cos.shape[1]];
    if (typeof width === 'number' && typeof half === 'number' && width % (2 * half) !== 0) {
      this.fail('RotaryEmbedding', `a width that is a multiple of ${2 * half}`, describe(x));
    }
    return this.node('RotaryEmbedding', [x, positions, cos, sin], x, { interleaved: 0 }, 'com.microsoft');
  }

  /** Attention of every token to every token; query, key and value [batch, sequence, heads * head_dim]. */
  MultiHeadAttention(query: Value, key: Value, value: Value, heads: number): Value {
    return this.node('MultiHeadAttention', [query, key, value], query, { num_heads: heads }, 'com.microsoft');
  }

  /**
   * Causal attention in which several heads share a key and value: query [batch, sequence, heads * head_dim], key and value
   * [batch, sequence, keyValueHeads * head_dim].
   *
   * @param options.lastIndex int32 [batch]: index of each row's last token.
   * @param options.length int32 scalar: tokens of a row.
   */
  GroupQueryAttention(
    query: Value,
    key: Value,
    value: Value,
    options: { heads: number; keyValueHeads: number; lastIndex: Value; length: Value },
  ): Value {
    const { heads, keyValueHeads, lastIndex, length } = options;
    const width = key.shape[2];
    const headDim = typeof width === 'number' ? width / keyValueHeads : `${width}/${keyValueHeads}`;
    const cache: Shape = [key.shape[0] as Dim, keyValueHeads, key.shape[1] as Dim, headDim];
    const [attended] = this.#graph.addNode({
      name: `${this.#path}/GroupQueryAttention`,
      opType: 'GroupQueryAttention',
      domain: 'com.microsoft',
      inputs: [query, key, value, undefined, undefined, lastIndex, length],
      outputs: [query, { dtype: key.dtype, shape: cache }, { dtype: key.dtype, shape: cache }],
      attributes: { num_heads: heads, kv_num_heads: keyValueHeads },
    });
    return attended as Value;
  }
}

/** ONNX TensorProto.DataType. */
export const ONNX_TYPE: Readonly<Record<ElementType, number>> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

function describe(value: Value): string {
  return `${value.dtype} ${formatShape(value.shape)}`;
}

/** What -1 stands for in a reshape: the input's sizes without the ones that the target takes. */
function quotient(from: Shape, taken: Shape): Dim {
  const rest = [...from];
  let divisor = 1;
  for (const dim of taken) {
    const at = typeof dim === 'string' ? rest.indexOf(dim) : -1;
    if (at !== -1) rest.splice(at, 1);
    else if (typeof dim === 'number') divisor *= dim;
    else return `${product(from)}/${taken.join('/')}`;
  }
  const whole = product(rest);
  if (typeof whole === 'number') return whole / divisor;
  const known = rest.reduce<number>((all, dim) => (typeof dim === 'number' ? all * dim : all), 1);
  if (known % divisor === 0) {
    return product([...rest.filter((dim) => typeof dim === 'string'), known / divisor]);
  }
  return `${whole}/${divisor}`;
}
