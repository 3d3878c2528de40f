import type { ProgressEvent } from '@vibe-edit/core';
import cliProgress from 'cli-progress';
import type { TerminalStream } from './cli-io.js';

/** Shown while something takes long. */
export interface ProgressDisplay {
  update(event: ProgressEvent): void;
  /** Takes the bar off the screen; what comes next starts on a clean line. */
  stop(): void;
}

const STAGE_LABELS: Readonly<Record<ProgressEvent['stage'], string>> = {
  queue: 'waiting',
  prepare: 'reading the picture',
  condition: 'reading the instruction',
  encode: 'encoding',
  denoise: 'denoising',
  decode: 'decoding',
  restore: 'finishing',
};

/** Units of work before and after the denoising steps; roughly what they take, so that the bar moves evenly. */
const UNITS_BEFORE: Readonly<Record<ProgressEvent['stage'], number>> = {
  queue: 0,
  prepare: 0,
  condition: 1,
  encode: 2,
  denoise: 3,
  decode: 3,
  restore: 4,
};
const UNITS_BESIDE_STEPS = 5;

/** How far an edit is, in units of about a step. What lies between two turns counts as nothing: it never goes back. */
export function progressPosition({ stage, step, steps }: ProgressEvent): { value: number; total: number } {
  const before = step > 0 && step < steps ? UNITS_BEFORE.denoise : UNITS_BEFORE[stage];
  return { value: before + step, total: UNITS_BESIDE_STEPS + steps };
}

/** A bar on a terminal; nothing where the stream is none. */
export function createProgressDisplay(stream: TerminalStream<NodeJS.WritableStream>, title: string): ProgressDisplay {
  const bar = createBar(stream, `${title} {bar} {percentage}% {label}`);
  return {
    update(event) {
      const { value, total } = progressPosition(event);
      const count = event.stage === 'denoise' ? ` ${event.step}/${event.steps}` : '';
      bar.update(value, total, `${STAGE_LABELS[event.stage]}${count}`);
    },
    stop: bar.stop,
  };
}

/** A bar that shows amounts as they come; without a terminal it does nothing. */
export interface Bar {
  update(value: number, total: number, label: string): void;
  stop(): void;
}

/** A bar with the placeholders `{bar}`, `{percentage}` and `{label}` in its format. */
export function createBar(stream: TerminalStream<NodeJS.WritableStream>, format: string): Bar {
  if (!stream.isTTY) return { update: () => {}, stop: () => {} };
  const bar = new cliProgress.SingleBar(
    { stream, format, clearOnComplete: true, hideCursor: false, barsize: 24, fps: 10, linewrap: false },
    cliProgress.Presets.shades_classic,
  );
  let started = false;
  return {
    update(value, total, label) {
      if (!started) {
        bar.start(total, value, { label });
        started = true;
      } else {
        bar.setTotal(total);
        bar.update(value, { label });
      }
    },
    stop() {
      if (started) bar.stop();
      started = false;
    },
  };
}
