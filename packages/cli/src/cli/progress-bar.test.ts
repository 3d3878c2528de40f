import { PassThrough } from 'node:stream';
import { type ProgressEvent, STAGES } from '@vibe-edit/core/runtime';
import { describe, expect, it } from 'vitest';
import { createBar, progressPosition } from './progress-bar.js';

describe('progressPosition', () => {
  it('never goes back and ends near the end', () => {
    const steps = 4;
    const events = STAGES.flatMap((stage): ProgressEvent[] =>
      stage === 'denoise'
        ? Array.from({ length: steps + 1 }, (_, step) => ({ stage, step, steps }))
        : [{ stage, step: 0, steps }],
    );
    const values = events.map((event) => progressPosition(event).value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values.at(-1)).toBe(8);
    expect(new Set(events.map((event) => progressPosition(event).total))).toEqual(new Set([9]));
  });
});

describe('createBar', () => {
  it('writes nothing where there is no terminal', () => {
    const stream = new PassThrough();
    const bar = createBar(stream, '{bar} {label}');
    bar.update(1, 2, 'half');
    bar.stop();
    expect(stream.read()).toBeNull();
  });
});
