import type { AutoencoderConfig } from '@vibe-edit/core/runtime';
import type { Value } from '../../ir/graph.js';
import type { Ops } from '../../ir/ops.js';
import type { Scope } from '../../ir/scope.js';
import { conv2d } from '../../nn/conv.js';
import { channelsOf } from './channel-groups.js';

/**
 * `DCUpBlock2d`: twice the height and width (DC-AE, arXiv 2410.10733, section 3.2).
 *
 * ```
 * interpolate:    x ─┬─ nearest x2 -> conv 3x3 ──────────────── (+)
 * pixel_shuffle:  x ─┼─ conv 3x3 -> pixel_shuffle ──────────── (+)
 * shortcut:          └─ every channel repeated -> pixel_shuffle ─┘
 * ```
 *
 * All is computed at the low resolution, four channels for the 2x2 pixels of each, shortcut included, and shuffled once at the end.
 */
export function upBlock(
  scope: Scope,
  x: Value,
  options: { type: AutoencoderConfig['upsample_block_type']; channels: number; shortcut: boolean },
): Value {
  const { op } = scope;
  const { type, channels, shortcut } = options;
  const conv = scope.at('conv');
  const [cells, order] =
    type === 'interpolate'
      ? ([upsampledConv(conv, x, channels), 'DCR'] as const)
      : ([conv2d(conv, x, { channels: 4 * channels, kernel: 3 }), 'CRD'] as const);
  const sum = shortcut ? op.Add(cells, repeatedChannels(op, x, channels, order)) : cells;
  return scope.tap(op.DepthToSpace(sum, order));
}

/** `repeat_interleave` to 4 * channels, in the order in which `DepthToSpace` reads them. */
function repeatedChannels(op: Ops, x: Value, channels: number, order: 'CRD' | 'DCR'): Value {
  const repeats = (4 * channels) / channelsOf(op, x);
  const indices = Array.from({ length: 4 * channels }, (_, place) => {
    const shuffled = order === 'CRD' ? place : 4 * (place % channels) + Math.floor(place / channels);
    return Math.floor(shuffled / repeats);
  });
  return op.Gather(x, op.int64(indices), 1);
}

/**
 * Nearest-neighbour upsampling by 2 and the 3x3 convolution after it, as four 2x2 convolutions at the low resolution: under
 * the kernel lie only 2x2 different pixels, so the weights that meet the same pixel are added up beforehand. 4/9 of the
 * multiplications, and the upsampled maps are never made.
 *
 * @returns [batch, 4 * channels, height, width]: all channels for the upper left pixels, upper right, lower left, lower right.
 */
function upsampledConv(scope: Scope, x: Value, channels: number): Value {
  const { op } = scope;
  const inner = channelsOf(op, x);
  const kernels = op.Reshape(scope.weight('weight', [channels, inner, 3, 3]), [channels * inner, 9]);
  const bias = scope.weight('bias', [channels]);
  const pixels = PIXELS.map(({ row, column }) => {
    const weight = op.Reshape(op.MatMul(kernels, op.float(tapSums(row, column), [9, 4])), [channels, inner, 2, 2]);
    return op.Conv(x, weight, bias, { padding: [1 - row, 1 - column, row, column] });
  });
  return op.Concat(pixels, 1);
}

const PIXELS = [
  { row: 0, column: 0 },
  { row: 0, column: 1 },
  { row: 1, column: 0 },
  { row: 1, column: 1 },
] as const;

/**
 * Which of the 3x3 taps meet each of 2x2 neighbouring source pixels, for the pixel at (row, column) of an upsampled cell: a
 * matrix [9, 4] of ones and zeros.
 */
function tapSums(row: number, column: number): number[] {
  // The upper pixel of a cell has tap 0 in the source row above and taps 1 and 2 in its own, the lower one taps 0 and 1 in
  // its own and tap 2 in the row below; the same holds from left to right.
  const source = (tap: number, parity: number): number => Math.floor((tap + 1 - parity) / 2);
  return Array.from({ length: 9 }, (_, tap) => {
    const met = 2 * source(Math.floor(tap / 3), row) + source(tap % 3, column);
    return [0, 1, 2, 3].map((pixel) => (pixel === met ? 1 : 0));
  }).flat();
}
