import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { linear } from '../../nn/linear.js';

const CHANNELS = 256;
const MAX_PERIOD = 10000;

/**
 * `AdaLayerNormSingle`: the timestep's embedding and the modulation that every block shares.
 *
 * ```
 * timestep -> cos, sin of 128 frequencies -> Linear, SiLU, Linear = embedding -> SiLU, Linear = modulation [batch, 6 * inner]
 * ```
 */
export function timestepEmbedding(
  scope: Scope,
  timestep: Value,
  inner: number,
): { embedding: Value; modulation: Value } {
  const { op } = scope;
  const half = CHANNELS / 2;
  // In float32 at every step, as torch computes it: the angles reach 1000, where float32 moves sine and cosine by 3e-5.
  const logPeriod = Math.fround(-Math.log(MAX_PERIOD));
  const frequencies = Array.from({ length: half }, (_, index) =>
    Math.fround(Math.exp(Math.fround(Math.fround(logPeriod * index) / half))),
  );
  const angles = op.Mul(op.Unsqueeze(timestep, [1]), op.float(frequencies, [1, half]));
  const projected = op.Concat([op.Cos(angles), op.Sin(angles)], 1);
  const embedder = scope.at('emb.timestep_embedder');
  const hidden = op.Silu(linear(embedder.at('linear_1'), projected, inner));
  const embedding = linear(embedder.at('linear_2'), hidden, inner);
  const modulation = linear(scope.at('linear'), op.Silu(embedding), 6 * inner);
  scope.tap(modulation, 0);
  scope.tap(embedding, 1);
  return { embedding, modulation };
}
