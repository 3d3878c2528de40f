import { clamped, ramp } from './unit-range.js';

/** Line through values of knots, as the knot where it is one half and its slope from knot to knot. */
interface Line {
  readonly middle: number;
  readonly slope: number;
}

/** Values between which knots tell the line of a curve... */
const TELLING = [0.05, 0.95] as const;
/** ...and between which the curve must be straight: an autoencoder rounds off the corners where a line is clipped. */
const STRAIGHT = [0.15, 0.85] as const;
/** Rounds of finding the line from the knots that it tells to count. */
const ROUNDS = 3;
/** Of two limits, the first tells from where on a curve does not count as a clipped line at all, the second from where on wholly. */
const SLOPE = [1.15, 1.25] as const;
/** How far within the axis the line must leave 0 and reach 1: else it has not set tones apart at both ends. */
const WITHIN = [0.01, 0.03] as const;
/** How far along the axis the curve may be off the line where it is straight, and elsewhere. */
const BENT = [0.03, 0.02] as const;
const OFF = [0.15, 0.1] as const;

/**
 * What the curves of the channels lack of a line that is clipped at 0 and at 1, [channels][knots]; 0 where they are none.
 *
 * An edit that sets tones apart, or leads them to two, clips both ends. The autoencoder has rounded off the corners, and knows little of
 * the tones near black and white: the line is led on from where it is known.
 *
 * @param curves values of evenly spaced knots, of axes that are 1 long
 */
export function clippedLines(curves: readonly Float64Array[]): Float64Array[] {
  const seen = curves.map((curve) => curve.map(clamped));
  const lines = seen.map(lineOf);
  const share = Math.min(...lines.map((line, channel) => (line ? certainty(seen[channel]!, line) : 0)));
  return lines.map((line, channel) =>
    seen[channel]!.map((value, knot) => (line && share > 0 ? share * (clipped(line, knot) - value) : 0)),
  );
}

/** Line through where a curve rises most steeply past one half; undefined where it does not. */
function lineOf(curve: Float64Array): Line | undefined {
  let line: Line | undefined;
  for (let knot = 0; knot < curve.length - 1; knot++) {
    const slope = curve[knot + 1]! - curve[knot]!;
    if (curve[knot]! < 0.5 && curve[knot + 1]! >= 0.5 && slope > (line?.slope ?? 0))
      line = { middle: knot + (0.5 - curve[knot]!) / slope, slope };
  }
  for (let round = 0; round < ROUNDS && line; round++) line = lineThrough(curve, tellingKnots(curve, line)) ?? line;
  return line;
}

function tellingKnots(curve: Float64Array, line: Line): number[] {
  return [...curve.keys()].filter((knot) => isWithin(valueAt(line, knot), TELLING));
}

/** Least squares; undefined of less than two knots, and where they do not rise. */
function lineThrough(curve: Float64Array, knots: readonly number[]): Line | undefined {
  if (knots.length < 2) return undefined;
  const [knot, value] = [mean(knots), mean(knots.map((at) => curve[at]!))];
  let [products, squares] = [0, 0];
  for (const at of knots) {
    products += (at - knot) * (curve[at]! - value);
    squares += (at - knot) ** 2;
  }
  const slope = products / squares;
  return slope > 0 ? { middle: knot + (0.5 - value) / slope, slope } : undefined;
}

/** How much a curve counts as a line that is clipped, 0..1. */
function certainty(curve: Float64Array, line: Line): number {
  const intervals = curve.length - 1;
  const along = (from: number, to: number) => Math.abs(to - from) / line.slope / intervals;
  let [bent, off] = [0, 0];
  for (const [knot, value] of curve.entries()) {
    if (isWithin(valueAt(line, knot), STRAIGHT)) bent = Math.max(bent, along(value, valueAt(line, knot)));
    else off = Math.max(off, along(value, clipped(line, knot)));
  }
  const reach = 0.5 / line.slope;
  const within = Math.min(line.middle - reach, intervals - line.middle - reach) / intervals;
  return Math.min(ramp(line.slope * intervals, SLOPE), ramp(within, WITHIN), ramp(bent, BENT), ramp(off, OFF));
}

function clipped(line: Line, knot: number): number {
  return clamped(valueAt(line, knot));
}

function valueAt({ middle, slope }: Line, knot: number): number {
  return 0.5 + slope * (knot - middle);
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function isWithin(value: number, [from, to]: readonly [number, number]): boolean {
  return value > from && value < to;
}
