import { GRADE_WEIGHTS, KNOTS } from './color-grade.js';
import { CHANGE, EDIT, type EditCells, interior, LINEAR, LUMA, OWN } from './edit-cells.js';

/** What a grade is fitted to. */
export interface GradeProblem {
  readonly columns: number;
  readonly rows: number;
  /** Of each channel, the means of the features in each cell, [cells, GRADE_WEIGHTS]. */
  readonly features: readonly Float64Array[];
  /** Of each channel, what the edit changed in each cell. */
  readonly changes: readonly Float64Array[];
  /** Of each channel, what the autoencoder gets wrong in each cell. */
  readonly errors: readonly Float64Array[];
}

export function gradeProblemOf({ lattice }: EditCells): GradeProblem {
  const { columns, rows } = lattice;
  const starts = [...interior(lattice)];
  const { values } = lattice;
  const features = [0, 1, 2].map((channel) => {
    const own = OWN + channel * KNOTS;
    const means = new Float64Array(starts.length * GRADE_WEIGHTS);
    for (const [cell, start] of starts.entries()) {
      const to = cell * GRADE_WEIGHTS;
      means.set(values.subarray(start + LUMA, start + LUMA + KNOTS), to);
      means.set(values.subarray(start + own, start + own + KNOTS), to + KNOTS);
      means.set(values.subarray(start + LINEAR, start + LINEAR + 3), to + 2 * KNOTS);
    }
    return means;
  });
  const changes = [0, 1, 2].map((channel) => Float64Array.from(starts, (start) => values[start + CHANGE + channel]!));
  // An edit less what it changed is the source through the autoencoder.
  const errors = [0, 1, 2].map((channel) =>
    Float64Array.from(
      starts,
      (start, cell) => values[start + EDIT + channel]! - changes[channel]![cell]! - values[start + LINEAR + channel]!,
    ),
  );
  return { columns: columns - 2, rows: rows - 2, features, changes, errors };
}

/** Tones of a cell: its luma, or a channel's own values. */
export interface CellTones {
  readonly channel: number;
  readonly cell: number;
  readonly axis: 'luma' | 'own';
}

/** Which share of the tones lies at a knot. */
export function toneShare({ features }: GradeProblem, { channel, cell, axis }: CellTones, knot: number): number {
  return features[channel]![cell * GRADE_WEIGHTS + (axis === 'own' ? KNOTS : 0) + knot]!;
}

/** Mean over the tones of what is told by the knot. */
export function meanOverTones(problem: GradeProblem, tones: CellTones, value: (knot: number) => number): number {
  let sum = 0;
  for (let knot = 0; knot < KNOTS; knot++) {
    const share = toneShare(problem, tones, knot);
    if (share > 0) sum += share * value(knot);
  }
  return sum;
}

/** What a grade of given weights changes in each cell where its share is whole, of each channel. */
export function graded({ features, changes }: GradeProblem, weights: Float64Array): Float64Array[] {
  return changes.map((change, channel) =>
    change.map((_, cell) => {
      let sum = 0;
      for (let i = 0; i < GRADE_WEIGHTS; i++)
        sum += features[channel]![cell * GRADE_WEIGHTS + i]! * weights[channel * GRADE_WEIGHTS + i]!;
      return sum;
    }),
  );
}
