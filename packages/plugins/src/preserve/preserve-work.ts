import type { Plane } from './box-blur.js';
import { takesColorOff } from './colorless.js';
import { findNewContent, hasNewContent, type Pictures } from './content-change.js';
import { fitColorGrid } from './fit-color-grid.js';
import { fitWholeEdit } from './fit-whole-edit.js';
import { type Planes, thinOut } from './planes.js';
import { createToneChange, type Tone } from './tone.js';
import { isVisible, relativeChange } from './unchanged.js';
import type { WorkingPlane } from './working-plane.js';

/** Decisions are taken on so many pixels at most; more would only take longer. */
const DECIDING_PIXELS = 512 * 512;
/** Times the threshold of content where one change of the whole picture is tried: unlike a grid it does not bend towards new objects. */
const WHOLE_CONTENT = 1.5;

export interface AnalysisInput extends Pictures {
  /** Pixels of the pictures along a side of what one latent stands for. */
  readonly patch: number;
  readonly mode: 'tone' | 'auto';
  /** Under this change, in units of the autoencoder's error, only one that can be seen counts as an edit. */
  readonly changeThreshold: number;
  /** From this misfit on, in units of the autoencoder's error, content counts as new. */
  readonly contentThreshold: number;
}

/** A colour change, and where content is new, if anywhere. */
interface Change {
  readonly tone: Tone;
  readonly mask: WorkingPlane | undefined;
}

/** What an edit did; undefined: nothing. */
export type Analysis =
  | (Change & {
      /** Whether the colour change leaves no colour. */
      readonly isGray: boolean;
    })
  | undefined;

/** Finds the colour change of an edit and, in `auto`, where its content is new. */
export function* analyseEdit(input: AnalysisInput): Generator<void, Analysis> {
  const few: Pictures = {
    source: thinOut(input.source, DECIDING_PIXELS),
    before: thinOut(input.before, DECIDING_PIXELS),
    after: thinOut(input.after, DECIDING_PIXELS),
  };
  const change = yield* findChange(input, few);
  if (change === undefined) return undefined;
  return { ...change, isGray: yield* takesColorOff(createToneChange(change.tone, few.source), few.source) };
}

function* findChange(input: AnalysisInput, few: Pictures): Generator<void, Change | undefined> {
  const { before, after, patch, mode, changeThreshold, contentThreshold } = input;
  const isLarge = (yield* relativeChange(few)) >= changeThreshold;
  const grid = yield* fitColorGrid(few);
  const whole = yield* fitWholeEdit(few, grid, Math.max(1, Math.round((patch * few.before.width) / before.width)));
  const change = createToneChange(whole ?? grid, few.before);
  if (!isLarge && !(yield* isVisible(change, few.source))) return undefined;
  if (whole !== undefined) {
    if (mode === 'tone' || !(yield* hasNewContent(few, change, WHOLE_CONTENT * contentThreshold)))
      return { tone: whole, mask: undefined };
  }
  const content = mode === 'auto' ? yield* findNewContent(few, contentThreshold) : undefined;
  if (content === undefined) {
    if (whole !== undefined) return { tone: whole, mask: undefined };
    if (few.before === before) return { tone: grid, mask: undefined };
  }
  const weight = content && (yield* enlarge(content.unchanged, before));
  return { tone: yield* fitColorGrid({ before, after, weight }), mask: content?.mask };
}

/** Repeats the values of a thinned-out picture. */
function* enlarge(plane: Plane, { width, height }: Planes): Generator<void, Float32Array> {
  const enlarged = new Float32Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = Math.floor((y * plane.height) / height) * plane.width;
    for (let x = 0; x < width; x++)
      enlarged[y * width + x] = plane.values[row + Math.floor((x * plane.width) / width)]!;
    yield;
  }
  return enlarged;
}
