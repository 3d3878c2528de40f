/** What the worker thread of `createThreadRunner` runs. */
import { type Analysis, type AnalysisInput, analyseEdit } from './preserve-work.js';
import { renderStrip, type Strip } from './render-strip.js';

export function analyse(input: AnalysisInput): Analysis {
  return finish(analyseEdit(input));
}

export function render(strip: Strip): Uint8Array {
  return finish(renderStrip(strip));
}

function finish<Result>(work: Generator<void, Result>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}
