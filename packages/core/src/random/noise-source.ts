import type { HostTensor } from '../backend/tensor.js';

/** Precision the numbers are drawn in. bfloat16 values come in float32 storage: every one of them is exact there. */
export type NoiseDType = 'float32' | 'bfloat16';

/** A stream of normally distributed numbers. What has been drawn is gone: the next draw goes on behind it. */
export interface NoiseGenerator {
  /**
   * Draws from the standard normal distribution (mean 0, variance 1).
   *
   * @param options.shape shape of the result, row-major
   * @param options.dtype precision; default `float32`
   * @throws {InvalidArgumentError} the shape has a size that is no whole number of 0 or more
   */
  normal(options: { shape: readonly number[]; dtype?: NoiseDType }): HostTensor<'float32'>;
}

/**
 * Makes generators. A pipeline takes its initial noise from one, so that a seed gives the same picture again; replace it to
 * match another framework's numbers.
 *
 * @example
 * ```ts
 * import { torchCpuNoise } from '@vibe-edit/core';
 *
 * const generator = torchCpuNoise.create(42);
 * const noise = generator.normal({ shape: [1, 32, 16, 16] });
 * ```
 */
export interface NoiseSource {
  /** Short name for messages, e.g. `torch-cpu`. */
  readonly name: string;
  /**
   * @param seed what `torch.Generator().manual_seed` takes: a whole number from -2^63 to 2^64 - 1. Beyond 2^53 use a bigint.
   * @throws {InvalidArgumentError} the seed is no whole number or out of range
   */
  create(seed: number | bigint): NoiseGenerator;
}
