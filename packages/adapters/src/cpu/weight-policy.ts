import type { Component } from '@vibe-edit/core/runtime';

/**
 * What happens to weights that are not float32 in their file.
 *
 * - `mapped`: they stay in the file's pages, which the system may drop and share; every run converts them anew. Opening takes
 *   milliseconds, and runs on many rows take about a tenth longer.
 * - `folded`: they are converted once when the component is opened, and packed for matrix products. Twice the file's size in memory
 *   for half precision, and about six seconds a gigabyte of file to open.
 */
export type WeightPolicy = 'mapped' | 'folded';

/**
 * `auto`: the language model and the transformer are large, so opening them and keeping them in memory costs more than converting
 * their weights does. The autoencoder is small, and its convolutions, which take most of its time, gain up to a third from packed
 * weights.
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
