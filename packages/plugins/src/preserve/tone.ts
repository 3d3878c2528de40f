import { type ColorChange, createColorChange } from './color-change.js';
import { type ColorGrade, createGradeChange } from './color-grade.js';
import { type ColorGrid, cutGrid } from './color-grid.js';
import { createDetailChange, type DetailCurve } from './detail-curve.js';

/** What an edit does to colours. */
export type Tone = ColorGrid | ColorGrade | DetailCurve;

/** Evaluates a tone on a picture of any size. */
export function createToneChange(tone: Tone, picture: { width: number; height: number }): ColorChange {
  if ('coefficients' in tone) return createColorChange(tone, picture);
  return 'weights' in tone ? createGradeChange(tone, picture) : createDetailChange(tone, picture);
}

/** What of a tone the pixel rows `from` to `to` (exclusive) of a picture `height` pixels high need. */
export function cutTone(tone: Tone, from: number, to: number, height: number): Tone {
  return 'coefficients' in tone ? cutGrid(tone, from, to, height) : tone;
}
