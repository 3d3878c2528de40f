import type { Component } from '@vibe-edit/core/runtime';

/**
 * What happens to weights that are not float32 in their file.
 *
 * - `mapped`: they stay in the file's pages, which the system may drop and share; every run converts them anew. Opening takes
 *   milliseconds. On two cores a step of the transformer takes about a third longer.
 * - `folded`: they are converted and packed once, when the component is opened. It then takes about five bytes a parameter, twice
 *   that while it is being opened, and some ten seconds a billion parameters to open.
 */
export type WeightPolicy = 'mapped' | 'folded';

/**
 * What `auto` prefers: the transformer runs dozens of times an edit, and the convolutions of the autoencoder gain most from packed
 * weights. The others run once an edit and would not earn back what folding takes.
 */
export const AUTO_WEIGHTS: Readonly<Record<Component, WeightPolicy>> = {
  visionEncoder: 'mapped',
  textEncoder: 'mapped',
  connector: 'mapped',
  transformerContext: 'mapped',
  transformer: 'folded',
  vaeEncoder: 'folded',
  vaeDecoder: 'folded',
};

/** Folding is only chosen where the memory is this many times the weights' size in float32: two to open, one for all the rest. */
const MEMORY_TO_FOLD = 3;

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
  return MEMORY_TO_FOLD * weightBytes > memoryBytes ? 'mapped' : AUTO_WEIGHTS[component];
}
