import 'reflect-metadata';
import { type DependencyContainer, container as root } from 'tsyringe';
import type { Backend, BackendDescription } from './backend/backend.js';
import { openCheckpoint } from './checkpoint/open-checkpoint.js';
import type { EditorOptions } from './editor-types.js';
import { InvalidArgumentError } from './errors/invalid-argument-error.js';
import { createInlineBackend } from './host/inline-backend.js';
import { createProcessBackend } from './host/process-backend.js';
import { createSessionPool } from './host/session-pool.js';
import { sharpCodec } from './image/sharp-codec.js';
import { createWorkQueue, type WorkQueue } from './job/work-queue.js';
import { createPipeline } from './pipeline/pipeline.js';
import { torchCpuNoise } from './random/torch-cpu-noise.js';
import { createScheduler } from './scheduler/schedulers.js';
import { TOKENS } from './tokens.js';

/** Pictures denoised at once: more gain nothing and take memory. */
const DEFAULT_BATCH_SIZE = 4;

/** One queue a backend, whatever the number of editors that share it. */
const queues = new WeakMap<Backend, WorkQueue>();

/** An empty container to register parts in by `TOKENS`; what it lacks is supplied by `createEditor`. */
export function createContainer(): DependencyContainer {
  return root.createChildContainer();
}

/** The parts of one editor. */
export interface ComposedParts {
  readonly container: DependencyContainer;
  /** Closes what was made here; what the caller brought stays open. */
  close(): Promise<void>;
}

/** The composition root: a child container with every token registered. */
export async function compose(options: EditorOptions): Promise<ComposedParts> {
  const container = (options.container ?? root).createChildContainer();
  const provided = (name: keyof typeof TOKENS): boolean => container.isRegistered(TOKENS[name] as symbol, true);
  const closers: (() => Promise<void>)[] = [];

  if (!provided('checkpoint')) {
    const { checkpoint } = options;
    container.register(TOKENS.checkpoint, {
      useValue: typeof checkpoint === 'string' ? await openCheckpoint(checkpoint) : checkpoint,
    });
  }
  if (!provided('backend')) {
    const backend = await makeBackend(options);
    if (backend !== options.backend) closers.push(() => backend.close());
    container.register(TOKENS.backend, { useValue: backend });
  }
  if (!provided('sessions')) {
    const sessions = createSessionPool({
      backend: container.resolve(TOKENS.backend),
      checkpoint: container.resolve(TOKENS.checkpoint),
      memory: options.memory ?? 'auto',
    });
    closers.unshift(() => sessions.close());
    container.register(TOKENS.sessions, { useValue: sessions });
  }
  if (!provided('workQueue'))
    container.register(TOKENS.workQueue, { useValue: queueOf(container.resolve(TOKENS.backend)) });
  if (!provided('imageCodec')) container.register(TOKENS.imageCodec, { useValue: sharpCodec });
  if (!provided('noise')) container.register(TOKENS.noise, { useValue: torchCpuNoise });
  if (!provided('scheduler'))
    container.register(TOKENS.scheduler, { useValue: { create: (config) => createScheduler({ config }) } });
  if (!provided('pipeline')) {
    container.register(TOKENS.pipeline, {
      useValue: createPipeline({
        checkpoint: container.resolve(TOKENS.checkpoint),
        sessions: container.resolve(TOKENS.sessions),
        noise: container.resolve(TOKENS.noise),
        scheduler: container.resolve(TOKENS.scheduler),
        plugins: options.plugins ?? [],
        batchSize: options.batchSize ?? DEFAULT_BATCH_SIZE,
      }),
    });
  }
  return {
    container,
    async close() {
      for (const close of closers) await close();
    },
  };
}

async function makeBackend({ backend, host = 'process' }: EditorOptions): Promise<Backend> {
  if (isBackend(backend)) return backend;
  if (typeof backend?.module !== 'string') {
    throw new InvalidArgumentError({
      argument: 'backend',
      expected: 'a backend or the description of one',
      received: typeof backend,
    });
  }
  if (host === 'inline') return await createInlineBackend(backend);
  if (host === 'process') return createProcessBackend(backend);
  throw new InvalidArgumentError({ argument: 'host', expected: 'process or inline', received: String(host) });
}

function isBackend(backend: Backend | BackendDescription): backend is Backend {
  return typeof (backend as Partial<Backend> | undefined)?.open === 'function';
}

function queueOf(backend: Backend): WorkQueue {
  const known = queues.get(backend);
  if (known !== undefined) return known;
  const queue = createWorkQueue();
  queues.set(backend, queue);
  return queue;
}
