import { axisPosition, grayCurve, KNOTS } from './color-grade.js';
import { type GradeProblem, meanOverTones, toneShare } from './grade-problem.js';

/** Errors of tones, of 1, are so large at most... */
const LARGEST = 0.02;
/** ...fade to none over this length from black and from white... */
const REACH = 0.35;
/** ...and count half at tones that are this share of a picture. */
const SELDOM = 0.01;
/** What counts for a tone beside its own error: the negative of that of the opposite tone, weighed so much. */
const OPPOSITE = 0.3;
/** What a grade does to errors is the slope of its change that this share of the cells does not exceed, at the steepest that of a negative. */
const EVENED = 0.9;
const STEEPEST = -2;

/** A grade that has been found so far, and how much of it each cell takes. */
export interface GradeSoFar {
  readonly weights: Float64Array;
  readonly shares: Float64Array;
}

/**
 * An edited picture has been through the autoencoder, and so has the source that it is compared with: what changed between the two is the
 * edit, and also what the autoencoder got wrong of the one and not of the other.
 */
export interface AutoencoderErrors {
  /**
   * What the edit changed, less the errors of tones, of each channel:
   *
   *     change - (error(tone it led to) - error(tone it came from))
   *
   * Black comes out somewhat too light, and white too dark, whichever picture they are in.
   */
  withoutTones(grade: GradeSoFar): Float64Array[];
  /**
   * The same, less what the grade did to all other errors:
   *
   *     - min(slope of the grade's change, 0) . other errors
   *
   * A grade that evens out all tones, or turns them over, does so with the errors. One that sets tones apart does not: a model does not
   * know what is lost.
   */
  withoutAll(grade: GradeSoFar): Float64Array[];
}

/** Weights of the grade that, the same everywhere, meets what is given of each channel and cell. */
type FitEverywhere = (changes: readonly Float64Array[]) => Float64Array;

export function createAutoencoderErrors(problem: GradeProblem, fitEverywhere: FitEverywhere): AutoencoderErrors {
  const { changes } = problem;
  const tones = errorsOfTones(problem, fitEverywhere);
  const others = problem.errors.map((errors, channel) =>
    errors.map(
      (error, cell) => error - meanOverTones(problem, { channel, cell, axis: 'own' }, (knot) => tones[channel]![knot]!),
    ),
  );
  const withoutTones = ({ weights, shares }: GradeSoFar): Float64Array[] =>
    changes.map((change, channel) => {
      const curve = grayCurve(weights, channel);
      const of = tones[channel]!;
      return change.map(
        (value, cell) =>
          value -
          meanOverTones(
            problem,
            { channel, cell, axis: 'own' },
            (knot) => valueAt(of, knot / (KNOTS - 1) + shares[cell]! * curve[knot]!) - of[knot]!,
          ),
      );
    });
  return {
    withoutTones,
    withoutAll(grade) {
      return withoutTones(grade).map((change, channel) => {
        const slopes = slopesOf(grayCurve(grade.weights, channel));
        const inCells = change.map((_, cell) =>
          meanOverTones(problem, { channel, cell, axis: 'luma' }, (knot) => slopes[knot]!),
        );
        const slope = Math.min(Math.max(inCells.sort()[Math.floor(EVENED * inCells.length)]!, STEEPEST), 0);
        return change.map((value, cell) => value - slope * others[channel]![cell]!);
      });
    },
  };
}

/** Errors of a channel's tones near black and white, at the knots, of each channel. */
function errorsOfTones(problem: GradeProblem, fitEverywhere: FitEverywhere): Float64Array[] {
  const { errors } = problem;
  const cells = errors[0]!.length;
  const weights = fitEverywhere(errors);
  return errors.map((_, channel) => {
    const used = new Float64Array(KNOTS);
    for (let cell = 0; cell < cells; cell++)
      for (let knot = 0; knot < KNOTS; knot++)
        used[knot]! += toneShare(problem, { channel, cell, axis: 'own' }, knot) / cells;
    const curve = grayCurve(weights, channel).map((error) => Math.min(Math.max(error, -LARGEST), LARGEST));
    return curve.map((error, knot) => {
      const opposite = KNOTS - 1 - knot;
      const [own, other] = [used[knot]!, OPPOSITE * used[opposite]!];
      const near = Math.max(1 - Math.min(knot, opposite) / (KNOTS - 1) / REACH, 0);
      return (near * (own * error - other * curve[opposite]!)) / (own + other + SELDOM);
    });
  });
}

function valueAt(curve: Float64Array, tone: number): number {
  const position = axisPosition(tone, KNOTS);
  const knot = Math.min(Math.floor(position), KNOTS - 2);
  return curve[knot]! + (position - knot) * (curve[knot + 1]! - curve[knot]!);
}

/** Slopes of a curve at its knots. */
function slopesOf(curve: Float64Array): Float64Array {
  return curve.map((_, knot) => {
    const [from, to] = [Math.max(knot - 1, 0), Math.min(knot + 1, KNOTS - 1)];
    return ((curve[to]! - curve[from]!) / (to - from)) * (KNOTS - 1);
  });
}
