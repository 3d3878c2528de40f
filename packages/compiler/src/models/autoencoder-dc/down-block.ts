import type { AutoencoderConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Scope } from '../../ir/scope.js';
import { conv2d } from '../../nn/conv.js';
import { averageCells } from './channel-groups.js';

/**
 * `DCDownBlock2d`: half the height and width (DC-AE, arXiv 2410.10733, section 3.2).
 *
 * ```
 * conv:             x ─┬─ conv 3x3, stride 2 ──────────────────── (+)
 * pixel_unshuffle:  x ─┼─ conv 3x3 -> pixel_unshuffle ─────────── (+)
 * shortcut:            └─ pixel_unshuffle -> means of channel groups ─┘
 * ```
 */
export function downBlock(
  scope: Scope,
  x: Value,
  options: { type: AutoencoderConfig['downsample_block_type']; channels: number; shortcut: boolean },
): Value {
  const { op } = scope;
  const { type, channels, shortcut } = options;
  const conv = scope.at('conv');
  const down =
    type === 'conv'
      ? conv2d(conv, x, { channels, kernel: 3, stride: 2 })
      : averageCells(op, conv2d(conv, x, { channels: channels / 4, kernel: 3 }), channels);
  return scope.tap(shortcut ? op.Add(down, averageCells(op, x, channels)) : down);
}
