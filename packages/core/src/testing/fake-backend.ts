import type { Backend, OpenOptions, RunOptions, Session } from '../backend/backend.js';
import { checkInputs } from '../backend/check-inputs.js';
import { COMPONENTS, type Component } from '../backend/component.js';
import { type DType, type HostTensor, isHostTensor, type Tensor } from '../backend/tensor.js';
import { throwIfAborted } from '../errors/aborted-error.js';
import { BackendError } from '../errors/backend-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { fakeComponent } from './fake-components.js';

/** Something a fake backend was asked to do. */
export interface FakeCall {
  readonly kind: 'open' | 'run' | 'close';
  readonly component: Component;
  /** Shapes of a run's inputs, by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
}

export interface FakeBackendOptions {
  /** Default `fake`. */
  name?: string;
  /** What each session says its weights take, in bytes. Default: it does not say. */
  sessionBytes?: number;
  /** Whether each session says that its weights are mapped. */
  mapped?: boolean;
  /** Called before a call is carried out: to wait, to throw, to abort something. */
  before?(call: FakeCall): void | Promise<void>;
}

/** A backend without models, with what tests want to know about it. */
export interface FakeBackend extends Backend {
  /** Everything it was asked to do, in order. */
  readonly calls: readonly FakeCall[];
  /** Components that are open now. */
  readonly openComponents: readonly Component[];
  /** Tensors it keeps that nobody has disposed of. */
  readonly kept: number;
}

/**
 * A backend that keeps to every contract and runs no model: small deterministic maths stand in for the components, see
 * `fakeComponent`. For tests of pipelines, plugins and hosts.
 */
export function createFakeBackend(options: FakeBackendOptions = {}): FakeBackend {
  const { name = 'fake', before, sessionBytes, mapped } = options;
  const calls: FakeCall[] = [];
  const open = new Set<Session>();
  const kept = new Set<KeptTensor>();
  let closed = false;

  const fail = (component: Component, message: string): never => {
    throw new BackendError({ backend: name, component, message });
  };

  /** A tensor that only gives its elements when asked. */
  class KeptTensor implements Tensor {
    readonly location = 'backend';
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly host: HostTensor;

    constructor(host: HostTensor) {
      this.dtype = host.dtype;
      this.shape = host.shape;
      this.host = host;
      kept.add(this);
    }

    async data() {
      if (!kept.has(this))
        throw new BackendError({ backend: name, message: 'Expected a kept tensor but it was disposed of' });
      return this.host.values.slice();
    }

    dispose() {
      kept.delete(this);
    }
  }

  function toHost(component: Component, input: string, tensor: Tensor): HostTensor {
    if (isHostTensor(tensor)) return tensor;
    if (tensor instanceof KeptTensor && kept.has(tensor)) return tensor.host;
    return fail(component, `Expected a tensor that this backend keeps for input ${input} but received another`);
  }

  async function call(made: FakeCall, signal: AbortSignal | undefined): Promise<void> {
    throwIfAborted(signal);
    calls.push(made);
    await before?.(made);
    throwIfAborted(signal);
  }

  return {
    name,
    calls,
    get openComponents() {
      return [...open].map(({ component }) => component);
    },
    get kept() {
      return kept.size;
    },
    async open(component, checkpoint, { task = 'edit', taps = [], signal }: OpenOptions = {}) {
      if (closed) throw new ClosedError(`backend ${name}`);
      if (!COMPONENTS.includes(component)) fail(component, 'Expected a component but received another name');
      if (taps.length > 0) {
        throw new InvalidArgumentError({
          argument: 'taps',
          expected: `modules of ${component}`,
          received: taps.join(', '),
        });
      }
      await call({ kind: 'open', component, shapes: {} }, signal);
      const fake = fakeComponent(component, checkpoint, task);
      const inputs = fake.inputs.map((input) => input.name);
      const session: Session = {
        component,
        inputs,
        outputs: fake.outputs,
        memoryBytes: sessionBytes,
        mapped,
        async run(given, { outputs = fake.outputs, keep = [], signal: runSignal }: RunOptions = {}) {
          if (!open.has(session)) throw new ClosedError(`session of ${component}`);
          throwIfAborted(runSignal);
          checkInputs({ backend: name, component, expected: fake.inputs, given });
          const wanted = [...new Set([...outputs, ...keep])];
          const unknown = wanted.find((output) => !fake.outputs.includes(output));
          if (unknown !== undefined)
            fail(component, `Expected outputs among ${fake.outputs.join(', ')} but received ${unknown}`);
          const hosts = Object.fromEntries(
            Object.entries(given).map(([input, tensor]) => [input, toHost(component, input, tensor)]),
          );
          const shapes = Object.fromEntries(Object.entries(given).map(([input, tensor]) => [input, tensor.shape]));
          await call({ kind: 'run', component, shapes }, runSignal);
          const results = fake.run(hosts);
          return Object.fromEntries(
            wanted.map((output) => {
              const result = results[output] as HostTensor;
              return [output, keep.includes(output) ? new KeptTensor(result) : result];
            }),
          );
        },
        async close() {
          if (!open.delete(session)) return;
          await call({ kind: 'close', component, shapes: {} }, undefined);
        },
      };
      open.add(session);
      return session;
    },
    async close() {
      closed = true;
      open.clear();
      kept.clear();
    },
  };
}
