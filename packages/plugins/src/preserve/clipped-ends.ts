/** A curve counts as clipped where it stays this close to 0 or 1... */
const NEAR = 0.06;
/** ...over this share of its axis or more... */
const LEAST_LENGTH = 0.15;
/** ...and rises or falls less than this along it: wholly below the former, not at all from the latter on. */
const FLAT = 0.1;
const STEEP = 0.2;

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
  const values = curve.map((value) => Math.min(Math.max(value, 0), 1));
  const intervals = curve.length - 1;
  for (const limit of [0, 1]) {
    const near = (knot: number) => Math.abs(values[knot]! - limit) < NEAR;
    const rise = (from: number, to: number) => Math.abs(values[to]! - values[from]!) * intervals;
    for (let start = 0; start < intervals; start++) {
      let end = start;
      let risen = 0;
      while (near(end) && end < intervals && near(end + 1) && rise(end, end + 1) < STEEP) {
        risen += rise(end, end + 1);
        end++;
      }
      if (end - start >= LEAST_LENGTH * intervals) {
        const share = Math.min(Math.max((STEEP - risen / (end - start)) / (STEEP - FLAT), 0), 1);
        for (let knot = start; knot <= end; knot++) lacking[knot] = share * (limit - values[knot]!);
      }
      start = end;
    }
  }
  return lacking;
}
