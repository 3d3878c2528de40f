import type { Value } from '../../ir/graph.js';
import type { Ops } from '../../ir/ops.js';
import type { Scope } from '../../ir/scope.js';
import { channelsOf } from './channel-groups.js';
import { channelNorm } from './channel-norm.js';
import { spatialSizes } from './resolution.js';
import type { StageConfig } from './stage-config.js';

/** Query, key and value, each [batch, heads * head_dim, height, width]. */
type Projections = [query: Value, key: Value, value: Value];

/**
 * `SanaMultiscaleLinearAttention`: ReLU linear attention on the projections and on smoothed copies of them (EfficientViT, arXiv
 * 2205.14756, section 3.1).
 *
 * ```
 *       ┌──────────────────────────────────────────── attention ─┐
 * x -> q, k, v -> k x k depthwise -> 1x1 grouped ──── attention ─┴─> concat -> 1x1 conv -> norm -> (+) x
 *                 (one such row for every kernel size)
 * ```
 */
export function multiscaleAttention(scope: Scope, x: Value, stage: StageConfig): Value {
  const { op } = scope;
  const { headDim, kernelSizes } = stage;
  const channels = channelsOf(op, x);
  const heads = Math.floor(channels / headDim);
  const inner = heads * headDim;

  const rows = op.Concat(
    ['to_q', 'to_k', 'to_v'].map((name) => scope.at(name).weight('weight', [inner, channels])),
    0,
  );
  const projections = byProjection(op, rows, heads, headDim).map((weight) => op.Conv(x, as1x1(op, weight), undefined));
  const scales = kernelSizes.map((kernel, index) => {
    const projection = scope.at('to_qkv_multiscale').at(index);
    const smooth = byProjection(
      op,
      projection.at('proj_in').weight('weight', [3 * inner, 1, kernel, kernel]),
      heads,
      headDim,
    );
    const mix = byProjection(
      op,
      projection.at('proj_out').weight('weight', [3 * inner, headDim, 1, 1]),
      heads,
      headDim,
    );
    return projections.map((value, part) => {
      const smoothed = op.Conv(value, smooth[part] as Value, undefined, { padding: (kernel - 1) / 2, groups: inner });
      return op.Conv(smoothed, mix[part] as Value, undefined, { groups: heads });
    });
  });
  const attended = [projections, ...scales].map((scale) => linearAttention(op, scale as Projections, heads, headDim));
  const [height, width] = spatialSizes(stage.resolution, x.shape);
  const maps = op.Reshape(op.Concat(attended, 1), [0, attended.length * inner, height, width]);
  const output = scope.at('to_out').weight('weight', [channels, attended.length * inner]);
  const merged = op.Conv(maps, as1x1(op, output), undefined);
  return scope.tap(op.Add(channelNorm(scope.at('norm_out'), stage.norm, merged, stage.resolution), x));
}

/**
 * Rows [3 * heads * head_dim, ...] of a weight that makes query, key and value, as one weight [heads * head_dim, ...] for
 * each. The reference computes all of `to_q`, `to_k`, `to_v` one after the other, but then takes runs of 3 * head_dim channels
 * as "query, key, value" of a head, so what a head uses as its query need not come from `to_q`.
 */
function byProjection(op: Ops, rows: Value, heads: number, headDim: number): Value[] {
  const rest = rows.shape.slice(1).map(Number);
  const runs = op.Split(op.Reshape(rows, [heads, 3, headDim, ...rest]), [1, 1, 1], 1);
  return runs.map((run) => op.Reshape(run, [heads * headDim, ...rest]));
}

function as1x1(op: Ops, weight: Value): Value {
  return op.Unsqueeze(weight, [2, 3]);
}

/**
 * Attention with ReLU instead of softmax, channels first, so that its cost grows with the number of places and not with its square:
 *
 * ```
 * y = (v relu(k)^T) relu(q) / (sum(relu(k))^T relu(q) + 1e-15)
 * ```
 *
 * Where there are no more places than `head_dim`, the reference multiplies in the other order, v (relu(k)^T relu(q)), which
 * are the same sums.
 *
 * @returns [batch, heads * head_dim, places]
 */
function linearAttention(op: Ops, [query, key, value]: Projections, heads: number, headDim: number): Value {
  const perHead = (maps: Value): Value => op.Reshape(maps, [0, heads, headDim, -1]);
  const q = perHead(op.Relu(query));
  const k = perHead(op.Relu(key));
  const numerator = op.MatMul(op.MatMul(perHead(value), op.Transpose(k, [0, 1, 3, 2])), q);
  const denominator = op.MatMul(op.Transpose(op.ReduceSum(k, [3]), [0, 1, 3, 2]), q);
  const attended = op.Div(numerator, op.Add(denominator, op.float(1e-15)));
  return op.Reshape(attended, [0, heads * headDim, -1]);
}
