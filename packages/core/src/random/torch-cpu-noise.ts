import { hostTensor } from '../backend/tensor.js';
import { roundToBfloat16 } from './bfloat16.js';
import { log32, sinCos32 } from './float32-math.js';
import { Mt19937 } from './mt19937.js';
import type { NoiseGenerator, NoiseSource } from './noise-source.js';
import { normaliseSeed } from './seed.js';
import { countOf } from './shape.js';

/** Numbers that one round of the block transform turns into normals; fewer are drawn one by one. */
const BLOCK = 16;
const TWO_PI = Math.fround(2 * Math.PI);

/**
 * The numbers of `torch.randn(shape, generator=torch.Generator().manual_seed(seed))` on a CPU, bit by bit as torch computes them on
 * x86-64 with AVX2 or AVX-512. Like torch it looks at the low 32 bits of the seed only, and draws counts under 16 by another
 * algorithm (double precision) than larger ones (float32, in blocks of 16; where the count is no multiple of 16 the last 16 are
 * drawn afresh).
 */
export const torchCpuNoise: NoiseSource = {
  name: 'torch-cpu',
  create(seed: number | bigint): NoiseGenerator {
    const engine = new Mt19937(Number(BigInt.asUintN(32, normaliseSeed(seed))));
    const drawOne = pairwiseNormals(engine);
    return {
      normal({ shape, dtype = 'float32' }) {
        const values = new Float32Array(countOf(shape));
        if (values.length < BLOCK) {
          for (let i = 0; i < values.length; i++) values[i] = drawOne();
        } else {
          fillBlocks(engine, values, dtype === 'float32');
        }
        if (dtype === 'bfloat16') {
          for (let i = 0; i < values.length; i++) values[i] = roundToBfloat16(values[i]!);
        }
        return hostTensor('float32', shape, values);
      },
    };
  },
};

/** Box-Muller in double precision, one number at a time; the second of a pair waits for the next call, across draws. */
function pairwiseNormals(engine: Mt19937): () => number {
  let waiting: number | undefined;
  return () => {
    if (waiting !== undefined) {
      const normal = waiting;
      waiting = undefined;
      return normal;
    }
    const angle = 2 * Math.PI * engine.nextDouble();
    const radius = Math.sqrt(-2 * Math.log1p(-engine.nextDouble()));
    waiting = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}

/**
 * Fills 16 values or more. For float32 torch draws a uniform number for every value, even those at the end that it then draws
 * again; its bfloat16 kernel works block by block and skips them.
 */
function fillBlocks(engine: Mt19937, values: Float32Array, drawsIncompleteBlock: boolean): void {
  const whole = values.length - (values.length % BLOCK);
  const drawn = drawsIncompleteBlock ? values.length : whole;
  for (let i = 0; i < drawn; i++) values[i] = engine.nextFloat();
  for (let i = 0; i < whole; i += BLOCK) transformBlock(values, i);
  if (whole !== values.length) {
    const last = values.length - BLOCK;
    for (let i = last; i < values.length; i++) values[i] = engine.nextFloat();
    transformBlock(values, last);
  }
}

const sinCos = new Float32Array(2);

/** Box-Muller in float32 on 16 uniform numbers in place: number j gives the radius, number j + 8 the angle. */
function transformBlock(values: Float32Array, offset: number): void {
  for (let j = offset; j < offset + BLOCK / 2; j++) {
    const radius = Math.fround(Math.sqrt(Math.fround(-2 * log32(Math.fround(1 - values[j]!)))));
    sinCos32(Math.fround(TWO_PI * values[j + BLOCK / 2]!), sinCos);
    // Torch adds the mean, 0, which makes a negative zero positive.
    values[j] = radius * sinCos[1]! + 0;
    values[j + BLOCK / 2] = radius * sinCos[0]! + 0;
  }
}
