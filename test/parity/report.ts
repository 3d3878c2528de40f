import { isDeepStrictEqual } from 'node:util';
import type { Raster8 } from '@vibe-edit/core';

/** Prints one line a comparison and remembers what was over. */
export class Report {
  readonly failures: string[] = [];
  compared = 0;
  readonly #print: (line: string) => void;
  /** Largest difference of floats that is always accepted. */
  readonly floatFloor: number;

  constructor(options: { print: (line: string) => void; floatFloor: number }) {
    this.#print = options.print;
    this.floatFloor = options.floatFloor;
  }

  heading(text: string): void {
    this.#print(`\n${text}`);
  }

  /** Compares floats. @param noise The case's own noise, 4 times which is accepted where it is larger than the floor. */
  floats(name: string, actual: ArrayLike<number> | undefined, expected: ArrayLike<number>, noise = 0): void {
    const tolerance = Math.max(this.floatFloor, 4 * noise);
    const difference = largestDifference(actual, expected);
    this.#line(name, difference <= tolerance, `max ${format(difference)}`, `tolerance ${format(tolerance)}`);
  }

  /** Compares whole numbers: all must be equal. */
  integers(name: string, actual: ArrayLike<number | bigint> | undefined, expected: ArrayLike<number | bigint>): void {
    const difference = largestDifference(actual, expected);
    this.#line(name, difference === 0, `max ${format(difference)}`, 'tolerance 0');
  }

  /** Compares two values of JSON; the order of fields does not matter. */
  same(name: string, actual: unknown, expected: unknown): void {
    const equal = isDeepStrictEqual(plain(actual), plain(expected));
    this.#line(
      name,
      equal,
      equal ? 'identical' : `received ${JSON.stringify(actual)}`,
      equal ? '' : `expected ${JSON.stringify(expected)}`,
    );
  }

  /** Compares pictures: sizes equal, every value within one level of 255. */
  picture(name: string, actual: Raster8 | undefined, expected: Raster8): void {
    if (
      actual === undefined ||
      actual.width !== expected.width ||
      actual.height !== expected.height ||
      actual.channels !== expected.channels
    ) {
      const received = actual === undefined ? 'nothing' : `${actual.width} x ${actual.height} x ${actual.channels}`;
      this.#line(name, false, received, `expected ${expected.width} x ${expected.height} x ${expected.channels}`);
      return;
    }
    let different = 0;
    for (let index = 0; index < expected.data.length; index++)
      if (actual.data[index] !== expected.data[index]) different += 1;
    const difference = largestDifference(actual.data, expected.data);
    this.#line(
      name,
      difference <= 1,
      `max ${difference} levels, ${((100 * different) / expected.data.length).toFixed(4)} % differ`,
      'tolerance 1 level',
    );
  }

  /** Shows a difference that is not judged. */
  shown(name: string, actual: ArrayLike<number> | undefined, expected: ArrayLike<number>): void {
    this.compared += 1;
    this.#print(`  --  ${name}  max ${format(largestDifference(actual, expected))}  not judged`);
  }

  /** Something of the folder that no check looked at. */
  notCompared(name: string): void {
    this.#line(name, false, 'was not compared', '');
  }

  /** Something of the folder that is known to have no part in a result. */
  notNeeded(name: string): void {
    this.#print(`  --  ${name}  takes no part in an edit`);
  }

  /** A check that could not be carried out. */
  failed(name: string, error: unknown): void {
    const { message = String(error), stack } = error as Partial<Error>;
    this.#line(name, false, message, '');
    if (stack !== undefined) this.#print(stack.replaceAll(/^/gm, '      '));
  }

  /** Prints what was over. Nothing compared at all counts as a failure. */
  summary(): void {
    if (this.compared === 0) this.failures.push('nothing was compared');
    this.#print(`\n${this.compared} compared, ${this.failures.length} over`);
    for (const failure of this.failures) this.#print(`  ${failure}`);
  }

  #line(name: string, good: boolean, found: string, allowed: string): void {
    this.compared += 1;
    if (!good) this.failures.push(name);
    this.#print(`  ${good ? 'ok' : 'BAD'}  ${name}  ${found}  ${allowed}`.trimEnd());
  }
}

/** Largest absolute difference; Infinity where lengths differ or something is not a number. */
export function largestDifference(
  actual: ArrayLike<number | bigint> | undefined,
  expected: ArrayLike<number | bigint>,
): number {
  if (actual === undefined || actual.length !== expected.length) return Number.POSITIVE_INFINITY;
  let largest = 0;
  for (let index = 0; index < expected.length; index++) {
    const difference = Math.abs(Number(actual[index]) - Number(expected[index]));
    if (!(difference <= largest)) largest = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
  }
  return largest;
}

/** A value as its JSON is read back. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}

function format(value: number): string {
  return value === 0 ? '0' : value.toExponential(2);
}
