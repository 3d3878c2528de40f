import type { Value } from '../../ir/graph.js';
import type { Ops } from '../../ir/ops.js';

/**
 * Means of runs of neighbouring channels: [batch, channels, height, width] to [batch, count, height, width]; `count` divides
 * the channels. A grouped convolution with constant weights reads the maps once and needs no sizes.
 */
export function averageChannels(op: Ops, x: Value, count: number): Value {
  const size = channelsOf(op, x) / count;
  const weights = op.float(new Array<number>(count * size).fill(1 / size), [count, size, 1, 1]);
  return op.Conv(x, weights, undefined, { groups: count });
}

/**
 * torch's `pixel_unshuffle` by 2, then means of runs of neighbouring channels: [batch, channels, 2 * height, 2 * width] to
 * [batch, count, height, width]; `count` divides 4 * channels. With `count` of 4 * channels it is `pixel_unshuffle` alone.
 *
 * Unshuffled channel 4 * c + 2 * y + x has row y and column x of every 2x2 cell of channel c. A grouped 2x2 convolution of
 * stride 2 with constant weights does both in one pass (a sixth of the time of a transpose over six axes and a reduction): a
 * group is the least number of channels whose cells make whole runs.
 */
export function averageCells(op: Ops, x: Value, count: number): Value {
  const channels = channelsOf(op, x);
  const run = (4 * channels) / count;
  const groups = greatestCommonDivisor(channels, count);
  const [inner, perGroup] = [channels / groups, count / groups];
  const weights = Array.from({ length: count }, (_, output) => {
    const start = (output % perGroup) * run;
    return Array.from({ length: 4 * inner }, (_, cell) => (cell >= start && cell < start + run ? 1 / run : 0));
  });
  return op.Conv(x, op.float(weights.flat(), [count, inner, 2, 2]), undefined, { stride: 2, groups });
}

/** Every channel `times` times in a row (torch's `repeat_interleave`). */
export function repeatChannels(op: Ops, x: Value, times: number): Value {
  const indices = Array.from({ length: channelsOf(op, x) * times }, (_, channel) => Math.floor(channel / times));
  return op.Gather(x, op.int64(indices), 1);
}

/** The number of channels of feature maps [batch, channels, height, width]. */
export function channelsOf(op: Ops, x: Value): number {
  const channels = x.shape[1];
  return typeof channels === 'number' ? channels : op.fail('maps', 'a known number of channels', String(channels));
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
