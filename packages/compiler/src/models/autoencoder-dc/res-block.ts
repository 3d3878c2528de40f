import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { conv2d } from '../../nn/conv.js';
import { activation } from './activation.js';
import { channelNorm } from './channel-norm.js';
import type { StageConfig } from './stage-config.js';

/**
 * `ResBlock`.
 *
 * ```
 * x -> conv 3x3 -> activation -> conv 3x3 -> norm -> (+) x
 * ```
 */
export function resBlock(scope: Scope, x: Value, stage: StageConfig): Value {
  const { channels } = stage;
  const hidden = activation(scope, stage.activation, conv2d(scope.at('conv1'), x, { channels, kernel: 3 }));
  const mixed = conv2d(scope.at('conv2'), hidden, { channels, kernel: 3, bias: false });
  return scope.op.Add(channelNorm(scope.at('norm'), stage.norm, mixed, stage.resolution), x);
}
