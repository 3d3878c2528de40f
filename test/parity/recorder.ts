import type {
  Backend,
  Component,
  HostTensor,
  OpenOptions,
  Schedule,
  SchedulerFactory,
  Session,
  Tensor,
} from '@vibe-edit/core';
import { hostTensor } from '@vibe-edit/core';

/** One run of a component: what went in and what came out, on the host. */
export interface RecordedRun {
  readonly component: Component;
  readonly inputs: Readonly<Record<string, HostTensor>>;
  readonly outputs: Readonly<Record<string, HostTensor>>;
}

/** One step of the scheduler. */
export interface RecordedStep {
  readonly combined: Float32Array;
  readonly latents: Float32Array;
}

/** Looks on while an edit runs, through the same tokens that users replace parts with. */
export class Recorder {
  readonly runs: RecordedRun[] = [];
  readonly steps: RecordedStep[] = [];
  schedule: Schedule | undefined;
  /** Module outputs to ask for, by component. */
  readonly taps: Partial<Record<Component, readonly string[]>>;

  constructor(taps: Partial<Record<Component, readonly string[]>> = {}) {
    this.taps = taps;
  }

  clear(): void {
    this.runs.length = 0;
    this.steps.length = 0;
  }

  /** The first run of a component. */
  first(component: Component): RecordedRun | undefined {
    return this.runs.find((run) => run.component === component);
  }

  all(component: Component): RecordedRun[] {
    return this.runs.filter((run) => run.component === component);
  }

  backend(inner: Backend): Backend {
    return {
      name: inner.name,
      open: async (component, checkpoint, options: OpenOptions = {}) => {
        const taps = this.taps[component] ?? [];
        return this.#session(await inner.open(component, checkpoint, { ...options, taps }), taps);
      },
      close: () => inner.close(),
    };
  }

  #session(inner: Session, taps: readonly string[]): Session {
    return {
      component: inner.component,
      inputs: inner.inputs,
      outputs: inner.outputs,
      run: async (inputs, options = {}) => {
        const own = inner.outputs.filter((name) => !taps.includes(name));
        const outputs = await inner.run(inputs, { ...options, outputs: [...own, ...taps] });
        this.runs.push({ component: inner.component, inputs: await onHost(inputs), outputs: await onHost(outputs) });
        return Object.fromEntries(own.map((name) => [name, outputs[name] as Tensor]));
      },
      close: () => inner.close(),
    };
  }

  scheduler(inner: SchedulerFactory): SchedulerFactory {
    return {
      create: (config) => {
        const scheduler = inner.create(config);
        return {
          setTimesteps: (count) => {
            this.schedule = scheduler.setTimesteps(count);
            return this.schedule;
          },
          step: (step) => {
            const latents = scheduler.step(step);
            this.steps.push({ combined: step.modelOutput.slice(), latents: latents.slice() });
            return latents;
          },
        };
      },
    };
  }
}

async function onHost(tensors: Readonly<Record<string, Tensor>>): Promise<Record<string, HostTensor>> {
  const copies: Record<string, HostTensor> = {};
  for (const [name, tensor] of Object.entries(tensors)) {
    copies[name] = hostTensor(tensor.dtype, tensor.shape, (await tensor.data()).slice() as never);
  }
  return copies;
}
