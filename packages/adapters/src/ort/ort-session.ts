import type { CompiledModel, ValueInfo } from '@vibe-edit/compiler';
import {
  AbortedError,
  BackendError,
  ClosedError,
  type Component,
  checkInputs,
  type DType,
  type HostTensor,
  hostTensor,
  isHostTensor,
  nextTurn,
  type RunOptions,
  type Session,
  type Tensor,
  throwIfAborted,
} from '@vibe-edit/core/runtime';
import type { InferenceSession, Tensor as NativeTensor } from 'onnxruntime-node';
import { collectGarbage } from './collect-garbage.js';
import type { Ort } from './load-ort.js';
import type { OrtPlan } from './ort-provider.js';
import { OrtTensor, type ReadTensor } from './ort-tensor.js';

export interface OrtSessionOptions {
  readonly ort: Ort;
  readonly native: InferenceSession;
  /** Weights that every run is fed, by input. */
  readonly matrices: Readonly<Record<string, NativeTensor>>;
  readonly model: CompiledModel;
  readonly plan: OrtPlan;
  readonly component: Component;
  /** Name of the backend, for messages. */
  readonly backend: string;
  /** The backend; tensors of others are not taken. */
  readonly owner: object;
  readonly read: ReadTensor;
  /** Whether tensors may be freed after the native session. */
  readonly tensorsOutlive: boolean;
}

/** A component in ONNX Runtime. */
export class OrtSession implements Session {
  readonly component: Component;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly memoryBytes: number | undefined;
  readonly mapped: boolean | undefined;
  readonly #options: Omit<OrtSessionOptions, 'matrices'>;
  #matrices: Readonly<Record<string, NativeTensor>>;
  readonly #values: ReadonlyMap<string, ValueInfo>;
  readonly #running = new Set<Promise<unknown>>();
  /** Tensors that must be freed before the native session is. */
  readonly #kept = new Set<OrtTensor>();
  #closing: Promise<void> | undefined;
  #idle = false;
  #released = false;

  constructor({ matrices, ...options }: OrtSessionOptions) {
    const { model, component, plan } = options;
    this.#options = options;
    this.#matrices = matrices;
    this.component = component;
    this.memoryBytes = plan.memoryBytes;
    this.mapped = plan.mapped;
    this.inputs = model.inputs.map(({ name }) => name);
    this.outputs = [...model.outputs, ...model.taps].map(({ name }) => name);
    this.#values = new Map([...model.outputs, ...model.taps].map((value) => [value.name, value]));
  }

  /** Whether the native session is gone. */
  get released(): boolean {
    return this.#released;
  }

  run(inputs: Readonly<Record<string, Tensor>>, options: RunOptions = {}): Promise<Record<string, Tensor>> {
    if (this.#closing !== undefined) return Promise.reject(new ClosedError(`session of ${this.component}`));
    const running = this.#run(inputs, options);
    const settled = running.catch(() => {}).finally(() => this.#running.delete(settled));
    this.#running.add(settled);
    return running;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  /** Closes the session and frees the tensors it kept, which nobody can use any more. */
  async destroy(): Promise<void> {
    await this.close();
    for (const tensor of [...this.#kept]) tensor.dispose();
  }

  async #close(): Promise<void> {
    await Promise.all(this.#running);
    this.#idle = true;
    await this.#releaseWhenFree();
  }

  async #releaseWhenFree(): Promise<void> {
    if (!this.#idle || this.#released || this.#kept.size > 0) return;
    this.#released = true;
    await this.#options.native.release();
    if (Object.keys(this.#matrices).length === 0) return;
    this.#matrices = {};
    // The native binding holds what it was given until the present turn of the event loop ends.
    await nextTurn();
    collectGarbage();
  }

  async #run(inputs: Readonly<Record<string, Tensor>>, options: RunOptions): Promise<Record<string, Tensor>> {
    const { model, backend, native } = this.#options;
    const { keep = [], signal } = options;
    throwIfAborted(signal);
    checkInputs({ backend, component: this.component, expected: model.inputs, given: inputs });
    const wanted = [...new Set([...(options.outputs ?? model.outputs.map(({ name }) => name)), ...keep])];
    const unknown = wanted.find((name) => !this.#values.has(name));
    if (unknown !== undefined)
      throw this.#fault(`Expected outputs among ${this.outputs.join(', ')} but received ${unknown}`);
    const feeds = Object.fromEntries(
      Object.entries(inputs).map(([name, tensor]) => [name, this.#toNative(name, tensor)]),
    );

    let results: Awaited<ReturnType<InferenceSession['run']>>;
    try {
      results = await native.run({ ...this.#matrices, ...feeds }, wanted);
    } catch (cause) {
      throw this.#fault(firstLine(cause), cause);
    }
    const outputs: Record<string, Tensor> = {};
    for (const name of wanted) {
      const result = results[name] as NativeTensor;
      outputs[name] = keep.includes(name) ? this.#keep(name, result) : await this.#toHost(name, result);
    }
    if (signal?.aborted) {
      for (const tensor of Object.values(outputs)) tensor.dispose();
      throw new AbortedError(signal.reason);
    }
    return outputs;
  }

  #toNative(name: string, tensor: Tensor): NativeTensor {
    if (isHostTensor(tensor)) return new this.#options.ort.Tensor(tensor.dtype, tensor.values, tensor.shape);
    if (tensor instanceof OrtTensor && tensor.owner === this.#options.owner) return tensor.native;
    throw this.#fault(`Expected a host tensor or one that this backend kept for input ${name} but received another's`);
  }

  #keep(name: string, native: NativeTensor): OrtTensor {
    const { backend, owner, read, tensorsOutlive } = this.#options;
    const onDispose = (tensor: OrtTensor): void => {
      if (this.#kept.delete(tensor)) void this.#releaseWhenFree();
    };
    const kept = new OrtTensor({ native, dtype: this.#dtype(name), owner, backend, read, onDispose });
    if (!tensorsOutlive) this.#kept.add(kept);
    return kept;
  }

  async #toHost(name: string, native: NativeTensor): Promise<HostTensor> {
    const shape = native.dims;
    const values = await this.#options.read(native);
    native.dispose();
    return hostTensor(this.#dtype(name), shape, values);
  }

  #dtype(name: string): DType {
    return this.#values.get(name)?.dtype ?? 'float32';
  }

  #fault(message: string, cause?: unknown): BackendError {
    return new BackendError({ backend: this.#options.backend, component: this.component, message, cause });
  }
}

/** What a native error says without its addresses and stack. */
export function firstLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0] as string;
}
