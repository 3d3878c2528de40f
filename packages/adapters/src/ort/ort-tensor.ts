import { BackendError, type DType, type Tensor, type TensorData } from '@vibe-edit/core/runtime';
import type { Tensor as NativeTensor } from 'onnxruntime-node';

/** Reads a native tensor wherever it lies; the result is a copy. */
export type ReadTensor = (native: NativeTensor) => Promise<TensorData[DType]>;

/** An output that stays with ONNX Runtime, in memory of the CPU or of a GPU. */
export class OrtTensor implements Tensor {
  readonly location = 'backend';
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** The backend that made it. */
  readonly owner: object;
  readonly #backend: string;
  readonly #read: ReadTensor;
  readonly #onDispose: (tensor: OrtTensor) => void;
  #native: NativeTensor | undefined;

  constructor(options: {
    native: NativeTensor;
    dtype: DType;
    owner: object;
    backend: string;
    read: ReadTensor;
    onDispose(tensor: OrtTensor): void;
  }) {
    this.dtype = options.dtype;
    this.shape = options.native.dims;
    this.owner = options.owner;
    this.#backend = options.backend;
    this.#read = options.read;
    this.#onDispose = options.onDispose;
    this.#native = options.native;
  }

  /** @throws {BackendError} when it was disposed of. */
  get native(): NativeTensor {
    if (this.#native !== undefined) return this.#native;
    const message = 'Expected a tensor that is still kept but received one that was disposed of';
    throw new BackendError({ backend: this.#backend, message });
  }

  async data(): Promise<TensorData[DType]> {
    return this.#read(this.native);
  }

  dispose(): void {
    if (this.#native === undefined) return;
    this.#native.dispose();
    this.#native = undefined;
    this.#onDispose(this);
  }
}
