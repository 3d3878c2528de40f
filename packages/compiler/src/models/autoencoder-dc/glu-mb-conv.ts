import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { channelsOf } from './channel-groups.js';
import { channelRmsNorm } from './channel-norm.js';
import type { Resolution } from './resolution.js';

const EXPANSION = 4;

/**
 * `GLUMBConv` with norm and residual.
 *
 * ```
 *     ┌─ 1x1 conv -> SiLU -> 3x3 depthwise ───────── (x) -> 1x1 conv -> norm -> (+) x
 * x ──┴─ 1x1 conv -> SiLU -> 3x3 depthwise -> SiLU ───┘
 * ```
 *
 * The checkpoint has both rows as one layer whose result is cut in two. Here each row reads its half of the weights, and the feature
 * maps are never copied.
 */
export function gluMbConv(scope: Scope, x: Value, resolution: Resolution): Value {
  const { op } = scope;
  const channels = channelsOf(op, x);
  const hidden = EXPANSION * channels;
  const [inverted, depth, point] = [scope.at('conv_inverted'), scope.at('conv_depth'), scope.at('conv_point')];
  const [contentWeight, gateWeight] = inverted.weightHalves('weight', [2 * hidden, channels, 1, 1]);
  const [contentBias, gateBias] = inverted.weightHalves('bias', [2 * hidden]);
  const [contentDepthWeight, gateDepthWeight] = depth.weightHalves('weight', [2 * hidden, 1, 3, 3]);
  const [contentDepthBias, gateDepthBias] = depth.weightHalves('bias', [2 * hidden]);
  const perChannel = { padding: 1, groups: hidden };
  const content = op.Conv(
    op.Silu(op.Conv(x, contentWeight, contentBias)),
    contentDepthWeight,
    contentDepthBias,
    perChannel,
  );
  const gate = op.Conv(op.Silu(op.Conv(x, gateWeight, gateBias)), gateDepthWeight, gateDepthBias, perChannel);
  const reduced = op.Conv(op.Mul(content, op.Silu(gate)), point.weight('weight', [channels, hidden, 1, 1]), undefined);
  return op.Add(channelRmsNorm(scope.at('norm'), reduced, resolution), x);
}
