import type { TensorInfo } from '@vibe-edit/core/runtime';
import { GraphError } from './graph-error.js';
import type { ElementType, Shape } from './shape.js';

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
  readonly tensor: TensorInfo;
}

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

  constructor(name: string) {
    this.name = name;
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
    const known = this.weights.get(key);
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
    const value: Value = { name: this.uniqueName(key), dtype, shape: tensor.shape };
    this.weights.set(key, { value, tensor });
    return value;
  }
}
