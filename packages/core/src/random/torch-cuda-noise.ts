import { hostTensor } from '../backend/tensor.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { roundToBfloat16 } from './bfloat16.js';
import type { NoiseGenerator, NoiseSource } from './noise-source.js';
import { philox4x32, type Words2 } from './philox.js';
import { normaliseSeed } from './seed.js';
import { countOf } from './shape.js';

/** Threads of a block of torch's random kernels. */
const BLOCK_THREADS = 256;
/** Normals that a thread makes from one counter, and by how much a counter's offset is counted in torch. */
const NORMALS_A_COUNTER = 4;

const TWO_POW_32 = 2 ** 32;
const UNIT = Math.fround(2 ** -32);
const TURN = Math.fround(2 ** -32 * 2 * Math.PI);

/** What a GPU's draws depend on beside the seed: how many threads run at once. */
export interface TorchCudaNoiseOptions {
  /** Streaming multiprocessors of the GPU. Default 132, an H100 or H200; an A100 has 108, an RTX 4090 128. */
  multiprocessors?: number;
  /** Threads that one multiprocessor holds. Default 2048; 1536 on consumer GPUs from Ampere on. */
  threadsPerMultiprocessor?: number;
}

/**
 * The numbers of `torch.randn(shape, generator=torch.Generator('cuda').manual_seed(seed), device='cuda')`: Philox4x32-10 and a float32
 * Box-Muller transform, as cuRAND defines them. Draws with no more elements than the GPU runs threads do not depend on the GPU.
 *
 * Experimental: checked against known answers of the generator and the first numbers of two seeds, not yet number by number against a
 * GPU. A GPU's own fast sine, cosine and logarithm differ from these by some 1e-6.
 *
 * @throws {InvalidArgumentError} a count is no whole number above 0
 * @example
 * ```ts
 * const source = createTorchCudaNoise({ multiprocessors: 108 });
 * const noise = source.create(42).normal({ shape: [1, 32, 32, 32], dtype: 'bfloat16' });
 * ```
 */
export function createTorchCudaNoise(options: TorchCudaNoiseOptions = {}): NoiseSource {
  const multiprocessors = positive('multiprocessors', options.multiprocessors ?? 132);
  const threads = positive('threadsPerMultiprocessor', options.threadsPerMultiprocessor ?? 2048);
  const mostBlocks = multiprocessors * Math.max(1, Math.floor(threads / BLOCK_THREADS));
  return { name: 'torch-cuda', create: (seed) => createGenerator(normaliseSeed(seed), mostBlocks) };
}

function positive(argument: string, value: number): number {
  if (Number.isSafeInteger(value) && value > 0) return value;
  throw new InvalidArgumentError({ argument, expected: 'a whole number above 0', received: String(value) });
}

function createGenerator(seed: bigint, mostBlocks: number): NoiseGenerator {
  const key: Words2 = [Number(seed & 0xffffffffn), Number(seed >> 32n)];
  let counter = 0;
  return {
    normal({ shape, dtype = 'float32' }) {
      const values = new Float32Array(countOf(shape));
      const threads = Math.min(Math.ceil(values.length / BLOCK_THREADS), mostBlocks) * BLOCK_THREADS;
      // A thread's first counter makes its elements thread, thread + threads, ...: four of them, then comes the next counter.
      const stride = threads * NORMALS_A_COUNTER;
      for (let start = 0; start < values.length; start += stride) {
        const low = counter % TWO_POW_32;
        const high = Math.floor(counter / TWO_POW_32);
        for (let thread = 0; thread < threads && start + thread < values.length; thread++) {
          const [a, b, c, d] = philox4x32([low, high, thread, 0], key);
          storePair(values, start + thread, threads, a, b);
          storePair(values, start + thread + 2 * threads, threads, c, d);
        }
        counter += 1;
      }
      if (dtype === 'bfloat16') {
        for (let i = 0; i < values.length; i++) values[i] = roundToBfloat16(values[i]!);
      }
      return hostTensor('float32', shape, values);
    },
  };
}

/** Box-Muller on two words; writes behind the end of a typed array are dropped. */
function storePair(values: Float32Array, index: number, stride: number, first: number, second: number): void {
  if (index >= values.length) return;
  const unit = Math.fround(Math.fround(first) * UNIT + UNIT / 2);
  const angle = Math.fround(Math.fround(second) * TURN + TURN / 2);
  const radius = Math.fround(Math.sqrt(Math.fround(-2 * Math.fround(Math.log(unit)))));
  values[index] = radius * Math.fround(Math.sin(angle));
  values[index + stride] = radius * Math.fround(Math.cos(angle));
}
