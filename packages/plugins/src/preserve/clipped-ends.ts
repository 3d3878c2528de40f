/** A curve counts as clipped where it stays this close to 0 or 1... */
const NEAR = 0.06;
/** ...over this share of its axis or more... */
const LEAST_LENGTH = 0.15;
/** ...and rises or falls less than this along it: wholly below the former, not at all from the latter on. */
const FLAT = 0.1;
const STEEP = 0.2;

/**
 * What a curve lacks of black or white where it is clipped, knot by knot.
 *
 * An autoencoder that is given a clipped picture gives back black and white that its soft edges have run into: a few levels grey, and a
 * little greyer the more structure there is. An edit that leads whole ranges of tones so close to black or white means it.
 *
 * @param curve values of evenly spaced knots, of an axis that is 1 long
 */
export function clippedEnds(curve: Float64Array): Float64Array {
  const lacking = new Float64Array(curve.length);
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
