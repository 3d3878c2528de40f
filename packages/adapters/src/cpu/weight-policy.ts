import type { Component } from '@vibe-edit/core/runtime';

/**
 * What happens to weights that are not float32 in their file.
 *
 * - `mapped`: they stay in the file's pages, which the system may drop and share; every run converts them anew, on one thread. Opening
 *   takes milliseconds.
 * - `converted`: they are converted once, when the component is opened, and take four bytes a parameter.
 */
export type WeightPolicy = 'mapped' | 'converted';

/**
 * What `auto` prefers: the transformer runs dozens of times an edit, and the convolutions of the autoencoder gain most from packed
 * weights. The others run once an edit and would not earn back what converting takes.
 */
export const AUTO_WEIGHTS: Readonly<Record<Component, WeightPolicy>> = {
  visionEncoder: 'mapped',
  textEncoder: 'mapped',
  connector: 'mapped',
  transformerContext: 'mapped',
  transformer: 'converted',
  vaeEncoder: 'converted',
  vaeDecoder: 'converted',
};

/** Converting is only chosen where the memory is this many times the size in float32: the rest is for activations and the system. */
const MEMORY_TO_CONVERT = 2;

/**
 * The policy for a component.
 * @param options.weightBytes Size of its weights in float32.
 * @param options.memoryBytes Memory that this process may use.
 */
export function chooseWeights(options: {
  component: Component;
  weights: WeightPolicy | 'auto';
  weightBytes: number;
  memoryBytes: number;
}): WeightPolicy {
  const { component, weights, weightBytes, memoryBytes } = options;
  if (weights !== 'auto') return weights;
  return MEMORY_TO_CONVERT * weightBytes > memoryBytes ? 'mapped' : AUTO_WEIGHTS[component];
}
