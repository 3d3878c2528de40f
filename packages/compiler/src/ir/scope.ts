import { InvalidCheckpointError, type StateDict, type TensorInfo } from '@vibe-edit/core/runtime';
import type { Graph, Value } from './graph.js';
import { Ops } from './ops.js';
import { compatible, formatShape, type Shape } from './shape.js';
import { storedType } from './stored-type.js';

/**
 * A place in the checkpoint's module tree: gives the weights of one module and names its nodes. `at` goes down by the
 * module's own name, so the code of a model reads like the state dict's keys.
 */
export class Scope {
  readonly graph: Graph;
  readonly op: Ops;
  /** Path as traces name it, e.g. `transformer.transformer_blocks.0.attn1`. */
  readonly path: string;
  readonly #stateDict: StateDict;
  readonly #folder: string;
  readonly #key: string;
  readonly #taps: Taps;

  private constructor(details: {
    graph: Graph;
    stateDict: StateDict;
    folder: string;
    key: string;
    path: string;
    taps: Taps;
  }) {
    this.graph = details.graph;
    this.path = details.path;
    this.op = new Ops(details.graph, details.path);
    this.#stateDict = details.stateDict;
    this.#folder = details.folder;
    this.#key = details.key;
    this.#taps = details.taps;
  }

  /**
   * @param options.folder The component's folder, for error messages.
   * @param options.key Prefix of the weights' keys, e.g. `model.visual`; empty for the whole state dict.
   * @param options.path Prefix of the traces' paths, e.g. `visual`.
   */
  static root(options: {
    graph: Graph;
    stateDict: StateDict;
    folder: string;
    key: string;
    path: string;
    taps?: readonly string[];
  }): Scope {
    return new Scope({ ...options, taps: new Taps(options.taps ?? []) });
  }

  /** The module of that name below this one; several names may be joined by dots. */
  at(name: string | number): Scope {
    return new Scope({
      graph: this.graph,
      stateDict: this.#stateDict,
      folder: this.#folder,
      key: join(this.#key, name),
      path: join(this.path, name),
      taps: this.#taps,
    });
  }

  /** The shape of a weight, for sizes that no config gives. @throws {InvalidCheckpointError} when it is missing. */
  shapeOf(name: string): readonly number[] {
    return this.#tensor(name).shape;
  }

  /**
   * A weight of this module as a float32 value.
   * @throws {InvalidCheckpointError} when it is missing, of another shape than expected, or no floating-point tensor.
   */
  weight(name: string, expected: Shape): Value {
    const tensor = this.#checked(name, expected);
    return this.graph.addWeight(`${this.#folder}.${tensor.name}`, tensor, 'float32');
  }

  /**
   * The matrix [out, in] of a linear layer as a float32 value. Throws as `weight` does. Where the target asks for it, zeros stand behind
   * each row: its input then needs as many more columns, whatever is in them.
   */
  matrix(name: string, expected: Shape): Value {
    const tensor = this.#checked(name, expected);
    return this.graph.addMatrix(`${this.#folder}.${tensor.name}`, tensor, 'float32');
  }

  /**
   * The two halves of a weight along its first axis, as float32 values. Throws as `weight` does.
   * @param expected Shape of the whole.
   */
  weightHalves(name: string, expected: Shape): [Value, Value] {
    const tensor = this.#checked(name, expected);
    return this.graph.addWeightHalves(`${this.#folder}.${tensor.name}`, tensor, 'float32');
  }

  /**
   * A weight of this module in the type its file has: for tables of which only some rows are read, so that the rows are converted
   * and not the table. Throws as `weight` does.
   */
  storedWeight(name: string, expected: Shape): Value {
    const tensor = this.#checked(name, expected);
    return this.graph.addWeight(`${this.#folder}.${tensor.name}`, tensor, storedType(tensor));
  }

  /** Makes a value an extra output when this module (or its part of that name) was asked for; gives the value back. */
  tap(value: Value, part?: string | number): Value {
    const path = part === undefined ? this.path : join(this.path, part);
    if (this.#taps.take(path)) this.graph.addOutput(path, value, this.graph.taps);
    return value;
  }

  /** Paths that were asked for and that no module had. */
  get missingTaps(): readonly string[] {
    return this.#taps.left;
  }

  #checked(name: string, expected: Shape): TensorInfo {
    const tensor = this.#tensor(name);
    const fits =
      tensor.shape.length === expected.length &&
      tensor.shape.every((size, axis) => compatible(size, expected[axis] ?? size));
    if (!fits) {
      throw new InvalidCheckpointError({
        file: tensor.file,
        tensor: tensor.name,
        expected: `shape ${formatShape(expected)}`,
        received: formatShape(tensor.shape),
      });
    }
    storedType(tensor);
    return tensor;
  }

  #tensor(name: string): TensorInfo {
    const key = join(this.#key, name);
    const tensor = this.#stateDict.get(key);
    if (tensor === undefined) {
      throw new InvalidCheckpointError({
        file: this.#folder,
        tensor: key,
        expected: 'the tensor',
        received: 'nothing of that name',
      });
    }
    return tensor;
  }
}

class Taps {
  readonly #wanted: Set<string>;

  constructor(wanted: readonly string[]) {
    this.#wanted = new Set(wanted);
  }

  take(path: string): boolean {
    return this.#wanted.delete(path);
  }

  get left(): readonly string[] {
    return [...this.#wanted];
  }
}

function join(prefix: string, name: string | number): string {
  return prefix === '' ? String(name) : `${prefix}.${name}`;
}
