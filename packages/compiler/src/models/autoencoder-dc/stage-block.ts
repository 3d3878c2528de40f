import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { gluMbConv } from './glu-mb-conv.js';
import { multiscaleAttention } from './multiscale-attention.js';
import { resBlock } from './res-block.js';
import type { StageConfig } from './stage-config.js';

/** One block of a stage; its output has the shape of its input [batch, channels, height, width]. */
export function stageBlock(scope: Scope, x: Value, stage: StageConfig): Value {
  if (stage.blockType === 'ResBlock') return scope.tap(resBlock(scope, x, stage));
  const attended = multiscaleAttention(scope.at('attn'), x, stage);
  return scope.tap(gluMbConv(scope.at('conv_out'), attended, stage.resolution));
}
