import type { EditNode } from './edit-tree.js';
import type { QueueView } from './job-view.js';

const STAGES: Readonly<Record<string, string>> = {
  queue: 'Waiting for the model',
  prepare: 'Preparing the picture',
  condition: 'Reading picture and instruction',
  encode: 'Encoding the picture',
  denoise: 'Editing',
  decode: 'Decoding the result',
  restore: 'Bringing it to full size',
};

/** How an edit stands, in a sentence. */
export function describeNode(node: EditNode): string {
  const { state, position, waitSeconds, progress, failure, result } = node;
  switch (state) {
    case 'source':
      return 'Ready';
    case 'sending':
      return 'Sending the picture';
    case 'queued':
      return describeWait(position, waitSeconds);
    case 'running': {
      if (progress === undefined) return 'Starting';
      const stage = STAGES[progress.stage] ?? progress.stage;
      return progress.stage === 'denoise' && progress.step > 0
        ? `${stage}: step ${progress.step} of ${progress.steps}`
        : stage;
    }
    case 'done':
      return `Done in ${describeSeconds(totalSeconds(result?.seconds ?? {}))}`;
    case 'failed':
      return failure ?? 'The edit failed';
    case 'cancelled':
      return 'Cancelled';
  }
}

function totalSeconds({ queue: _, ...stages }: Readonly<Record<string, number>>): number {
  return Object.values(stages).reduce((sum, seconds) => sum + seconds, 0);
}

function describeWait(position: number | undefined, seconds: number | undefined): string {
  const place =
    position === undefined
      ? 'Waiting'
      : position === 0
        ? 'Next in the queue'
        : `${position} ${position === 1 ? 'edit' : 'edits'} before this one`;
  return seconds === undefined ? place : `${place}, starts in about ${describeSeconds(seconds)}`;
}

/** 0.4 s, 12 s, 3 min. */
export function describeSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  return `${Math.round(seconds / 60)} min`;
}

export function describeQueue({ queued, running, workers }: QueueView): string {
  if (workers === 0) return 'No worker is there: edits wait';
  if (queued + running === 0) return 'Queue: empty';
  return `Queue: ${queued} waiting, ${running} running`;
}

/** Share of the work that is done, 0..1; undefined where nobody can say. */
export function progressOf({ state, progress }: EditNode): number | undefined {
  if (state !== 'running' || progress === undefined) return undefined;
  const { stage, step, steps } = progress;
  const before = 0.15;
  const denoise = 0.7;
  const betweenTurns = step > 0 && step < steps;
  if (stage === 'denoise' || stage === 'decode' || betweenTurns) return before + (denoise * step) / Math.max(1, steps);
  if (stage === 'restore') return 0.93;
  return stage === 'encode' ? 0.12 : 0.05;
}
