import { labDistance, toLab } from './measures.ts';
import {
  applyAll,
  DETAIL_FAMILIES,
  MAIN_FAMILIES,
  type Operation,
  operationName,
  type Strength,
} from './operations.ts';
import type { Picture } from './picture.ts';
import { POINT_OPERATIONS } from './point-operations.ts';
import { COLOR_NAMES, type Color, colorMask } from './recolor.ts';

/** An exact result that an edit's result may be nearest to. */
export interface Candidate {
  readonly name: string;
  readonly lab: Float32Array;
}

/** Distances are taken on so many pixels at most, on a regular lattice. */
const LATTICE_PIXELS = 12_000;
/** Mean Lab distance under which two targets look alike: then either is right. */
const ALIKE = 0.5;
/** Share of a picture that must have a colour before an instruction about that colour means anything. */
const COLOR_SHARE = 0.01;

/** The exact results for one picture, and which of them something is nearest to. */
export class Targets {
  readonly #source: Picture;
  readonly #few: Picture;
  readonly #sets = new Map<string, readonly Candidate[]>();
  readonly #effects = new Map<string, number>();

  constructor(source: Picture) {
    this.#source = source;
    this.#few = thinOut(source);
  }

  /** Share of the picture that has the colour, 0..1. */
  colorShare(color: Color): number {
    const { values } = this.#few;
    const count = values.length / 3;
    let sum = 0;
    for (let pixel = 0; pixel < count; pixel++) {
      const at = (channel: number): number => values[channel * count + pixel] as number;
      sum += colorMask(color, at(0), at(1), at(2));
    }
    return sum / count;
  }

  /** Mean Lab distance between the source and the exact result of the operations. */
  effect(operations: readonly Operation[]): number {
    const name = nameOf(operations);
    const effect = this.#effects.get(name) ?? labDistance(this.#lab([]), this.#lab(operations));
    this.#effects.set(name, effect);
    return effect;
  }

  /** Mean Lab distance between the source and a picture. */
  change(picture: Picture): number {
    return labDistance(toLab(this.#few), toLab(thinOut(picture)));
  }

  /** The exact result that a picture is nearest to; `expected` where that is as near, or looks like the nearest. */
  nearest(picture: Picture, operations: readonly Operation[]): { readonly name: string; readonly right: boolean } {
    const lab = toLab(thinOut(picture));
    const own = { name: nameOf(operations), lab: this.#lab(operations) };
    let best: Candidate = own;
    let least = labDistance(lab, own.lab);
    for (const candidate of this.#candidates(operations)) {
      const distance = labDistance(lab, candidate.lab);
      if (distance >= least) continue;
      least = distance;
      best = candidate;
    }
    const right = best.name === own.name || labDistance(best.lab, own.lab) < ALIKE;
    return { name: right ? own.name : best.name, right };
  }

  #candidates(operations: readonly Operation[]): readonly Candidate[] {
    const strengths = [...new Set(operations.map((one) => (one.family === 'recolor' ? 'plain' : one.strength)))];
    const singles = (strengths.length === 0 ? (['plain'] as const) : strengths).flatMap((one) => this.#singles(one));
    if (operations.length < 2) return singles;
    // The other order is another target, and as good an answer; every part alone is among the single ones.
    const turned = [...operations].reverse();
    return [...singles, { name: nameOf(operations), lab: this.#lab(turned) }];
  }

  /** The source, every family at one strength, and every recolouring of a colour that is there. */
  #singles(strength: Strength): readonly Candidate[] {
    const known = this.#sets.get(strength);
    if (known !== undefined) return known;
    const colors = COLOR_NAMES.filter((color) => this.colorShare(color) >= COLOR_SHARE);
    const operations: Operation[] = [
      ...[...MAIN_FAMILIES, ...DETAIL_FAMILIES].map((family) => ({ family, strength })),
      ...colors.flatMap((from) =>
        COLOR_NAMES.filter((to) => to !== from).map((to) => ({ family: 'recolor' as const, from, to })),
      ),
    ];
    const made = [[], ...operations.map((operation) => [operation])].map((steps) => ({
      name: nameOf(steps),
      lab: this.#lab(steps),
    }));
    this.#sets.set(strength, made);
    return made;
  }

  #lab(operations: readonly Operation[]): Float32Array {
    const local = operations.every(({ family }) => family === 'recolor' || Object.hasOwn(POINT_OPERATIONS, family));
    return toLab(local ? applyAll(operations, this.#few) : thinOut(applyAll(operations, this.#source)));
  }
}

/** What the operations are called; the source where there are none. */
export function nameOf(operations: readonly Operation[]): string {
  return operations.length === 0 ? 'source' : operations.map(operationName).join(' + ');
}

/** Pixels on a regular lattice, as a picture of one row. */
function thinOut({ width, height, values }: Picture): Picture {
  const step = Math.max(1, Math.ceil(Math.sqrt((width * height) / LATTICE_PIXELS)));
  const columns = Math.ceil(width / step);
  const rows = Math.ceil(height / step);
  const few = new Float32Array(3 * columns * rows);
  for (let channel = 0; channel < 3; channel++) {
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        few[(channel * rows + row) * columns + column] = values[
          (channel * height + row * step) * width + column * step
        ] as number;
      }
    }
  }
  return { width: columns * rows, height: 1, values: few };
}
