import { readRange, withRegularFile } from './regular-file.js';
import {
  parseSafetensorsHeader,
  SAFETENSORS_PREFIX_BYTES,
  type SafetensorsHeader,
  safetensorsHeaderLength,
} from './safetensors.js';
import type { TensorInfo } from './tensor-info.js';
import { decodeTensorValues, type TensorValues } from './tensor-values.js';

/** A tensor with its elements in memory. */
export interface LoadedTensor {
  readonly dtype: TensorInfo['dtype'];
  readonly shape: readonly number[];
  readonly values: TensorValues;
}

/**
 * Reads and checks the header of a safetensors file; the weights stay on disk.
 * @returns the header, and its bytes with the length before them.
 * @throws {InvalidCheckpointError} when the file cannot be read or is damaged.
 */
export async function readSafetensorsHeader(file: string): Promise<SafetensorsHeader & { readonly bytes: Uint8Array }> {
  return await withRegularFile(file, async (handle, fileSize) => {
    const prefix = await readRange({ handle, file, offset: 0, length: Math.min(SAFETENSORS_PREFIX_BYTES, fileSize) });
    const length = safetensorsHeaderLength({ bytes: prefix, fileSize, file });
    const bytes = await readRange({ handle, file, offset: 0, length: SAFETENSORS_PREFIX_BYTES + length });
    return { ...parseSafetensorsHeader({ bytes, fileSize, file }), bytes };
  });
}

/**
 * The bytes of one tensor.
 * @throws {InvalidCheckpointError} when the file cannot be read or ends too early.
 */
export async function readTensorBytes(info: TensorInfo): Promise<Uint8Array> {
  return await withRegularFile(info.file, async (handle) => {
    return await readRange({ handle, file: info.file, offset: info.offset, length: info.byteLength });
  });
}

/**
 * Reads a whole safetensors file into memory: for small ones, such as recorded results.
 * @throws {InvalidCheckpointError} when the file cannot be read or is damaged.
 * @example
 * const tensors = await readSafetensorsFile('runs/edit/tensors.safetensors');
 * tensors.get('timesteps')?.values; // BigInt64Array [999n, 937n, ...]
 */
export async function readSafetensorsFile(file: string): Promise<ReadonlyMap<string, LoadedTensor>> {
  const { tensors } = await readSafetensorsHeader(file);
  return await withRegularFile(file, async (handle) => {
    const loaded = new Map<string, LoadedTensor>();
    for (const info of tensors.values()) {
      const bytes = await readRange({ handle, file, offset: info.offset, length: info.byteLength });
      loaded.set(info.name, { dtype: info.dtype, shape: info.shape, values: decodeTensorValues(info, bytes) });
    }
    return loaded;
  });
}
