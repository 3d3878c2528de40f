import type { JobRequest } from './job.js';
import type { QueueLoad, Timing } from './job-store.js';

/** Sizes are told apart by this many pixels a side. */
const SIZE_STEP = 128;

/**
 * What the time of a job depends on, as far as it is known before it runs: kind, size, steps and number of pictures, e.g.
 * `edit 1024x768 20 1`; 0 for what the request leaves open.
 */
export function workloadOf(request: JobRequest): string {
  const { image, settings = {} } = request;
  const size = settings.size ?? (image !== undefined && 'width' in image ? image : { width: 0, height: 0 });
  const instructions = typeof request.instruction === 'string' ? 1 : request.instruction.length;
  const side = (pixels: number): number => Math.ceil(pixels / SIZE_STEP) * SIZE_STEP;
  const pictures = instructions * (settings.numImages ?? 1);
  return `${request.kind} ${side(size.width)}x${side(size.height)} ${settings.numInferenceSteps ?? 0} ${pictures}`;
}

interface Workload {
  readonly kind: string;
  readonly pixels: number;
  readonly steps: number;
  readonly pictures: number;
}

function parse(workload: string): Workload {
  const [kind = '', size = '', steps, pictures] = workload.split(' ');
  const [width, height] = size.split('x');
  return { kind, pixels: Number(width) * Number(height), steps: Number(steps), pictures: Number(pictures) };
}

/**
 * Seconds that a job of this workload takes: the mean of what live workers measured for it; else the most similar one that they
 * measured, scaled by steps and pictures; undefined when nothing was measured.
 */
export function estimateRun(workload: string, load: QueueLoad): number | undefined {
  const timings = ofLiveWorkers(load);
  const exact = timings.filter((timing) => timing.workload === workload);
  if (exact.length > 0) return mean(exact.map(({ seconds }) => seconds));
  const wanted = parse(workload);
  let best: { distance: number; seconds: number } | undefined;
  for (const timing of timings) {
    const known = parse(timing.workload);
    const steps = wanted.steps > 0 && known.steps > 0 ? wanted.steps / known.steps : 1;
    const scale = (steps * wanted.pictures) / known.pictures;
    const distance =
      (wanted.kind === known.kind ? 0 : 10) +
      Math.abs(Math.log2((wanted.pixels + 1) / (known.pixels + 1))) +
      Math.abs(Math.log2(scale)) +
      (wanted.steps > 0 === known.steps > 0 ? 0 : 1);
    if (best === undefined || distance < best.distance) best = { distance, seconds: timing.seconds * scale };
  }
  return best?.seconds;
}

/** Seconds until a job at this position begins; undefined before anything was measured, or while no worker is there. */
export function estimateWait(position: number, load: QueueLoad, now: number): number | undefined {
  const { slots, running, queued } = load;
  if (slots === 0) return undefined;
  if (position < slots - running.length) return 0;
  let count = 0;
  let seconds = 0;
  for (const group of queued) {
    const each = estimateRun(group.workload, load);
    if (each === undefined) return undefined;
    count += group.count;
    seconds += group.count * each;
  }
  let remaining = 0;
  for (const { workload, startedAt } of running) {
    const whole = estimateRun(workload, load);
    if (whole === undefined) return undefined;
    remaining += Math.max(0, whole - (now - startedAt) / 1000);
  }
  return (remaining + (count === 0 ? 0 : (position * seconds) / count)) / slots;
}

function ofLiveWorkers({ timings, workers }: QueueLoad): readonly Timing[] {
  const live = timings.filter((timing) =>
    workers.some((worker) => worker.checkpoint === timing.checkpoint && worker.backend === timing.backend),
  );
  return live.length > 0 ? live : timings;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
