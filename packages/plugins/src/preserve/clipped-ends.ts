import { clamped, ramp } from './unit-range.js';

/** A curve counts as clipped where it stays this close to 0 or 1... */
const NEAR = 0.06;
/** ...over this share of its axis or more... */
const LEAST_LENGTH = 0.15;
/**
 * ...and has, from end to end, less than this slope: wholly below the former, not at all from the latter on. What rises and falls again
 * in between is an error.
 */
const FLAT = 0.1;
const STEEP = 0.2;
/**
 * Both slopes count this many times as much for an edit that sets the middle tones apart, wholly from the latter slope of the middle quarter
 * on, not at all below the former: such an edit clips, and the autoencoder rounds off the corners.
 */
const CONTRAST_FACTOR = 3;
const CONTRAST = [1.15, 1.35] as const;
/** Knots where the curve leaves its end steeply are led there by this share only: a fit bends there somewhat early or late. */
const LEAVING_SHARE = 0.5;

/**
 * What the curves of the channels lack of black or white where all of them are clipped, [channels][knots].
 *
 * An autoencoder that is given a clipped picture gives back black and white that its soft edges have run into: a few levels grey, and a
 * little greyer the more structure there is. An edit that leads whole ranges of tones so close to black or white means it; one that leads
 * a single channel there may mean a tint.
 *
 * @param curves values of evenly spaced knots, of axes that are 1 long
 */
export function clippedEnds(curves: readonly Float64Array[]): Float64Array[] {
  const lacking = curves.map(clippedEndsOf);
  return lacking.map((channel) =>
    channel.map((value, knot) => (lacking.some((other) => Number.isNaN(other[knot]!)) ? 0 : value)),
  );
}

/** The same of one channel; NaN where it is not clipped. */
function clippedEndsOf(curve: Float64Array): Float64Array {
  const lacking = new Float64Array(curve.length).fill(Number.NaN);
  const values = curve.map(clamped);
  const intervals = curve.length - 1;
  const contrast = ramp(middleSlope(curve), CONTRAST);
  const factor = 1 + (CONTRAST_FACTOR - 1) * contrast;
  const [flat, steep] = [FLAT * factor, STEEP * factor];
  for (const limit of [0, 1]) {
    const off = (knot: number) => Math.abs(values[knot]! - limit);
    const slope = (from: number, to: number) => Math.abs(((values[to]! - values[from]!) * intervals) / (to - from));
    const leaves = (knot: number, neighbour: number) => off(knot) > NEAR / 2 && slope(knot, neighbour) > steep;
    for (let first = 0, last = 0; first < intervals; first = last + 1) {
      last = first;
      while (off(last) < NEAR && last < intervals && off(last + 1) < NEAR) last++;
      let [start, end] = [first, last];
      while (first > 0 && start < end && leaves(start, start + 1)) start++;
      while (last < intervals && start < end && leaves(end, end - 1)) end--;
      if (end - start < LEAST_LENGTH * intervals) continue;
      const share = ramp(slope(start, end), [steep, flat]);
      for (let knot = first; knot <= last; knot++)
        lacking[knot] = share * (knot < start || knot > end ? LEAVING_SHARE : 1) * (limit - values[knot]!);
    }
  }
  return lacking;
}

/** Slope of a curve over the middle quarter of its axis. */
function middleSlope(curve: Float64Array): number {
  const intervals = curve.length - 1;
  const [from, to] = [Math.round(intervals * 0.375), Math.round(intervals * 0.625)];
  return ((curve[to]! - curve[from]!) * intervals) / (to - from);
}
