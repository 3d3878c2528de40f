import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';

/** A tensor of a golden file, widened to what JavaScript holds: bfloat16 to float32, 64-bit integers to numbers. */
export interface GoldenTensor {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: Float32Array | Uint8Array | Float64Array;
}

const golden = new URL('./fixtures/golden/', import.meta.url);

/** Absolute path of a file of the golden data, e.g. `vectors/bins.json`. */
export function goldenPath(path: string): URL {
  return new URL(path, golden);
}

/** A JSON file of the golden data. */
export function goldenJson<Value>(path: string): Value {
  return JSON.parse(readFileSync(goldenPath(path), 'utf8'));
}

/** A picture of the golden data, 8-bit RGB. */
export async function goldenPicture(
  path: string,
): Promise<{ width: number; height: number; channels: 3; data: Uint8Array }> {
  const file = sharp(fileURLToPath(goldenPath(path)))
    .toColourspace('srgb')
    .removeAlpha()
    .raw();
  const { data, info } = await file.toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, channels: 3, data: new Uint8Array(data) };
}

/** Every tensor of a safetensors file of the golden data, by name. */
export function goldenTensors(path: string): Map<string, GoldenTensor> {
  const file = new Uint8Array(readFileSync(goldenPath(path)));
  const headerLength = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header: Record<string, { dtype: string; shape: number[]; data_offsets: [number, number] }> = JSON.parse(
    new TextDecoder().decode(file.subarray(8, 8 + headerLength)),
  );
  const tensors = new Map<string, GoldenTensor>();
  for (const [name, { dtype, shape, data_offsets }] of Object.entries(header)) {
    if (name === '__metadata__') continue;
    const bytes = file.slice(8 + headerLength + data_offsets[0], 8 + headerLength + data_offsets[1]);
    tensors.set(name, { dtype, shape, values: widen(dtype, bytes) });
  }
  return tensors;
}

function widen(dtype: string, bytes: Uint8Array<ArrayBuffer>): Float32Array | Uint8Array | Float64Array {
  switch (dtype) {
    case 'F32':
      return new Float32Array(bytes.buffer);
    case 'U8':
      return bytes;
    case 'I64':
      return Float64Array.from(new BigInt64Array(bytes.buffer), Number);
    case 'BF16':
      return new Float32Array(Uint32Array.from(new Uint16Array(bytes.buffer), (half) => half << 16).buffer);
    default:
      throw new Error(`golden data holds no dtype ${dtype}`);
  }
}

/** Largest absolute difference of two arrays of one length. */
export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i]! - b[i]!);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}
