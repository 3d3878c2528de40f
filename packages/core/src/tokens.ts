import type { InjectionToken } from 'tsyringe';
import type { Backend } from './backend/backend.js';
import type { Checkpoint } from './checkpoint/checkpoint.js';
import type { ImageCodec } from './image/image-codec.js';
import type { WorkQueue } from './job/work-queue.js';
import type { Pipeline } from './pipeline/pipeline.js';
import type { SessionPool } from './pipeline/session-pool.js';
import type { NoiseSource } from './random/noise-source.js';
import type { SchedulerFactory } from './scheduler/scheduler.js';

/**
 * The parts of an editor, by token. Register another one under a token in a container of your own and hand that to `createEditor`.
 *
 * @example
 * ```ts
 * import { createContainer, createEditor, createTorchCudaNoise, TOKENS } from 'vibe-edit';
 *
 * const container = createContainer();
 * container.register(TOKENS.noise, { useValue: createTorchCudaNoise({ multiprocessors: 132 }) });
 * const editor = await createEditor({ container });
 * ```
 */
export const TOKENS = {
  /** Runs the components. Default: what the options' `backend` and `host` say. */
  backend: token<Backend>('backend'),
  /** The opened checkpoint. Default: what the options' `checkpoint` says. */
  checkpoint: token<Checkpoint>('checkpoint'),
  /** Reads and writes picture files. Default: sharp. */
  imageCodec: token<ImageCodec>('imageCodec'),
  /** Gives the initial noise of a seed. Default: torch's CPU generator. */
  noise: token<NoiseSource>('noise'),
  /** Makes the scheduler from its config. Default: by the config's class name. */
  scheduler: token<SchedulerFactory>('scheduler'),
  /** Opens components and keeps them. Default: by the options' `memory`. */
  sessions: token<SessionPool>('sessions'),
  /** Lets one edit at a time through. Default: in this process, one queue a backend. */
  workQueue: token<WorkQueue>('workQueue'),
  /** The stages put together. Default: VIBE's. */
  pipeline: token<Pipeline>('pipeline'),
} as const;

function token<Part>(name: string): InjectionToken<Part> {
  return Symbol(`vibe-edit.${name}`);
}
