import type { DType, HostTensor, Tensor, TensorData } from '../backend/tensor.js';
import { BackendError } from '../errors/backend-error.js';
import type { HostChild } from './host-child.js';
import type { WireTensor } from './messages.js';

/** Tensors that were forgotten instead of disposed of are freed as well, only later. */
const forgotten = new FinalizationRegistry<{ owner: HostChild; id: number }>(({ owner, id }) => owner.dispose([id]));

/** A tensor that lives in a child process. */
export class KeptTensor implements Tensor {
  readonly location = 'backend';
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The process it lives and dies with. */
  readonly owner: HostChild;
  readonly id: number;
  readonly #backend: string;
  readonly #read: (tensor: KeptTensor) => Promise<HostTensor>;
  #disposed = false;

  constructor(options: {
    dtype: DType;
    shape: readonly number[];
    owner: HostChild;
    id: number;
    backend: string;
    read(tensor: KeptTensor): Promise<HostTensor>;
  }) {
    this.dtype = options.dtype;
    this.shape = options.shape;
    this.owner = options.owner;
    this.id = options.id;
    this.#backend = options.backend;
    this.#read = options.read;
    forgotten.register(this, { owner: this.owner, id: this.id }, this);
  }

  /**
   * How the child knows it.
   * @throws {BackendError} when it was disposed of.
   * @throws {HostCrashedError} when the child is dead.
   */
  wire(): WireTensor {
    if (this.#disposed) {
      const message = 'Expected a tensor that is still kept but received one that was disposed of';
      throw new BackendError({ backend: this.#backend, message });
    }
    if (this.owner.death !== undefined) throw this.owner.death;
    return { dtype: this.dtype, shape: this.shape, kept: this.id };
  }

  async data(): Promise<TensorData[DType]> {
    return (await this.#read(this)).values;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    forgotten.unregister(this);
    this.owner.dispose([this.id]);
  }
}
