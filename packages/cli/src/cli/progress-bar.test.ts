import { PassThrough } from 'node:stream';
import type { ProgressEvent } from '@vibe-edit/core/runtime';
import { describe, expect, it } from 'vitest';
import { createBar, progressPosition } from './progress-bar.js';

describe('progressPosition', () => {
  it.each([
    ['one turn', 1, 8],
    ['three turns', 3, 16],
  ])('never goes back and ends near the end: %s', (_, turns, last) => {
    const each = 4;
    const steps = turns * each;
    const events: ProgressEvent[] = ['queue' as const, 'prepare' as const, 'condition' as const].map((stage) => ({
      stage,
      step: 0,
      steps,
    }));
    for (let done = 0; done < steps; done += each) {
      events.push({ stage: 'encode', step: done, steps });
      for (let step = 0; step <= each; step++) events.push({ stage: 'denoise', step: done + step, steps });
      for (const stage of ['decode', 'restore'] as const) events.push({ stage, step: done + each, steps });
    }
    const values = events.map((event) => progressPosition(event).value);
    expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(values.at(-1)).toBe(last);
    expect(new Set(events.map((event) => progressPosition(event).total))).toEqual(new Set([last + 1]));
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
