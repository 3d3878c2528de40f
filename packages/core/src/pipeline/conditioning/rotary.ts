import { type HostTensor, hostTensor } from '../../backend/tensor.js';

/** Cosines and sines of rotary position embeddings, a row a token. */
export interface RotaryTables {
  readonly cos: HostTensor<'float32'>;
  readonly sin: HostTensor<'float32'>;
}

/** 1 / theta^(2 i / dim), in float32 as torch computes it (RoFormer, arXiv 2104.09864, section 3.2.2). */
export function inverseFrequencies({ dim, theta }: { dim: number; theta: number }): Float32Array {
  return Float32Array.from(
    { length: Math.ceil(dim / 2) },
    (_, i) => 1 / Math.fround(theta ** Math.fround((2 * i) / dim)),
  );
}

/**
 * The tables of angles that stand twice in a row, for the two halves of a head.
 * @param options.shape Shape of the tables; its last size is the head's width.
 * @param options.angle Angle of a row's column, for columns under half the width; rounded to float32 before cosine and sine.
 */
export function rotaryTables(options: {
  shape: readonly number[];
  angle: (row: number, column: number) => number;
}): RotaryTables {
  const { shape, angle } = options;
  const width = shape.at(-1)!;
  const half = width / 2;
  const rows = shape.slice(0, -1).reduce((product, size) => product * size, 1);
  const cos = new Float32Array(rows * width);
  const sin = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < half; column++) {
      const value = Math.fround(angle(row, column));
      const at = row * width + column;
      cos[at] = cos[at + half] = Math.cos(value);
      sin[at] = sin[at + half] = Math.sin(value);
    }
  }
  return { cos: hostTensor('float32', shape, cos), sin: hostTensor('float32', shape, sin) };
}
