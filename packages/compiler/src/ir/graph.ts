import { elementCount, type TensorInfo } from '@vibe-edit/core/runtime';
import { GraphError } from './graph-error.js';
import type { ElementType, Shape } from './shape.js';
import { storedType } from './stored-type.js';

/** A tensor in a graph: what a node computes, an input, a weight or a constant. */
export interface Value {
  readonly name: string;
  readonly dtype: ElementType;
  readonly shape: Shape;
}

export type Attribute = number | string | readonly number[] | { readonly float: number };

export interface Node {
  readonly name: string;
  readonly opType: string;
  readonly domain: '' | 'com.microsoft';
  /** Undefined: an optional input left out. */
  readonly inputs: readonly (Value | undefined)[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

/** A small array held in the model itself. */
export interface Constant {
  readonly value: Value;
  readonly bytes: Uint8Array;
}

/** A weight that stays in its safetensors file. `value` is what the graph uses; where the file's type is another one, a Cast stands between. */
export interface Weight {
  readonly value: Value;
  /** Where its elements are: a tensor of the file, or some of its rows. */
  readonly tensor: TensorInfo;
  /** Name of the tensor with its folder. */
  readonly key: string;
  /** The graph takes it as an input, already of `value`'s type. */
  readonly isInput: boolean;
  /** Zeros behind each row, in the type of the file; `value` has them, `tensor` has not. */
  readonly padding: Value | undefined;
}

/** Columns of zeros: a cache line of float32. */
const PADDING = 16;

/**
 * A graph under construction. Values are made by its nodes; the order of the nodes is the order of execution.
 */
export class Graph {
  readonly name: string;
  readonly inputs: Value[] = [];
  readonly outputs: Value[] = [];
  /** Outputs of single modules that were asked for. */
  readonly taps: Value[] = [];
  readonly nodes: Node[] = [];
  readonly constants = new Map<string, Constant>();
  readonly weights = new Map<string, Weight>();
  readonly #names = new Map<string, number>();
  readonly #paddings = new Map<string, Value>();
  readonly #matrixInputs: number;
  readonly #crowdedWidth: number;

  /** @param options See `CompileTarget`. */
  constructor(name: string, options: { matrixInputs?: number | undefined; crowdedWidth?: number | undefined } = {}) {
    this.name = name;
    this.#matrixInputs = options.matrixInputs ?? Number.POSITIVE_INFINITY;
    this.#crowdedWidth = options.crowdedWidth ?? Number.POSITIVE_INFINITY;
  }

  /** A name that no other value or node of the graph has. */
  uniqueName(base: string): string {
    const count = this.#names.get(base) ?? 0;
    this.#names.set(base, count + 1);
    return count === 0 ? base : `${base}_${count}`;
  }

  addInput(name: string, dtype: ElementType, shape: Shape): Value {
    const value = { name: this.uniqueName(name), dtype, shape };
    this.inputs.push(value);
    return value;
  }

  /** Makes a value an output under a name of its own. */
  addOutput(name: string, value: Value, list: Value[] = this.outputs): void {
    const output = { name: this.uniqueName(name), dtype: value.dtype, shape: value.shape };
    this.nodes.push({
      name: `${output.name}/Identity`,
      opType: 'Identity',
      domain: '',
      inputs: [value],
      outputs: [output],
      attributes: {},
    });
    list.push(output);
  }

  addNode(node: {
    name: string;
    opType: string;
    domain?: '' | 'com.microsoft';
    inputs: readonly (Value | undefined)[];
    outputs: readonly { dtype: ElementType; shape: Shape }[];
    attributes?: Readonly<Record<string, Attribute>>;
  }): Value[] {
    const name = this.uniqueName(node.name);
    const outputs = node.outputs.map(({ dtype, shape }, index) => ({
      name: index === 0 ? `${name}:0` : `${name}:${index}`,
      dtype,
      shape,
    }));
    this.nodes.push({
      name,
      opType: node.opType,
      domain: node.domain ?? '',
      inputs: node.inputs,
      outputs,
      attributes: node.attributes ?? {},
    });
    return outputs;
  }

  /** A constant; the same bytes, type and shape give the same value. */
  addConstant(dtype: ElementType, shape: Shape, bytes: Uint8Array): Value {
    const key = `${dtype}[${shape.join(',')}]${bytes.length > 64 ? this.constants.size : bytes.join(',')}`;
    const known = this.constants.get(key);
    if (known !== undefined) return known.value;
    const value = { name: this.uniqueName(`constant_${this.constants.size}`), dtype, shape };
    this.constants.set(key, { value, bytes });
    return value;
  }

  /** A weight, of that type inside the graph whatever its file holds. */
  addWeight(key: string, tensor: TensorInfo, dtype: ElementType): Value {
    return this.#weight(key, key, tensor, dtype);
  }

  /** The matrix [out, in] of a linear layer, as `addWeight` gives it; with zeros behind each row where the target asks for them. */
  addMatrix(key: string, tensor: TensorInfo, dtype: ElementType): Value {
    const width = tensor.shape[1] as number;
    const converted = storedType(tensor) !== dtype && !this.#isInput(tensor, dtype);
    if (!converted || width % this.#crowdedWidth !== 0) return this.addWeight(key, tensor, dtype);
    return this.#weight(`${key}/padded`, key, tensor, dtype, this.#zeros(tensor));
  }

  #zeros(tensor: TensorInfo): Value {
    const [type, rows] = [storedType(tensor), tensor.shape[0] as number];
    const key = `${type}[${rows}]`;
    const itemBytes = tensor.byteLength / elementCount(tensor.shape);
    const zeros =
      this.#paddings.get(key) ?? this.addConstant(type, [rows, PADDING], new Uint8Array(rows * PADDING * itemBytes));
    this.#paddings.set(key, zeros);
    return zeros;
  }

  /** The two halves of a weight along its first axis, each a weight of its own: nothing is cut at run time. */
  addWeightHalves(key: string, tensor: TensorInfo, dtype: ElementType): [Value, Value] {
    const byteLength = tensor.byteLength / 2;
    const shape = tensor.shape.with(0, (tensor.shape[0] as number) / 2);
    const half = (index: number): Value =>
      this.#weight(
        `${key}/half_${index}`,
        key,
        { ...tensor, shape, byteLength, offset: tensor.offset + index * byteLength },
        dtype,
      );
    return [half(0), half(1)];
  }

  #weight(name: string, key: string, tensor: TensorInfo, dtype: ElementType, padding?: Value): Value {
    const known = this.weights.get(name);
    if (known !== undefined) {
      if (known.value.dtype !== dtype) {
        throw new GraphError({
          op: 'weight',
          node: key,
          expected: `one type everywhere (${known.value.dtype})`,
          received: dtype,
        });
      }
      return known.value;
    }
    const shape = padding === undefined ? tensor.shape : tensor.shape.with(1, (tensor.shape[1] as number) + PADDING);
    const value: Value = { name: this.uniqueName(name), dtype, shape };
    this.weights.set(name, { value, tensor, key, isInput: this.#isInput(tensor, dtype), padding });
    return value;
  }

  #isInput(tensor: TensorInfo, dtype: ElementType): boolean {
    const { shape } = tensor;
    const isMatrix = shape.length >= 2 && shape.slice(2).every((size) => size === 1);
    return isMatrix && storedType(tensor) !== dtype && elementCount(shape) >= this.#matrixInputs;
  }
}
