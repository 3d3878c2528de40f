import { setTimeout as sleep } from 'node:timers/promises';
import { serialize } from 'node:v8';
import type { Backend, BackendDescription, OpenOptions, RunOptions, Session } from '../backend/backend.js';
import type { Component } from '../backend/component.js';
import { type HostTensor, isHostTensor, type Tensor } from '../backend/tensor.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { BackendError } from '../errors/backend-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { type HostChild, type HostReply, startHostChild } from './host-child.js';
import { KeptTensor } from './kept-tensor.js';
import { createLane } from './lane.js';
import type { Request, WireTensor } from './messages.js';
import { tensorBytes, tensorFromBytes } from './tensor-bytes.js';

export interface ProcessBackendOptions {
  /** Environment variables for the child beside those of this process, e.g. library paths. */
  env?: Readonly<Record<string, string>>;
  /** Flags of Node for the child, e.g. `['--import', 'tsx']` for a backend written in TypeScript. Default: none. */
  execArgv?: readonly string[];
  /** How long work may go on in the background after it was aborted before its process is replaced, in ms. Default 5000. */
  abortGraceMs?: number;
}

/** A backend whose sessions live in a child process. */
export interface ProcessBackend extends Backend {
  /** Process id of the child; undefined before the first call and after a death. */
  readonly pid: number | undefined;
}

const DEFAULT_ABORT_GRACE_MS = 5000;
/** What a backend gets to tidy up in before its process is ended. */
const CLOSE_GRACE_MS = 2000;

/** Work for the child. `undo` gets a result that nobody waits for any more. */
interface Step<Result> {
  run(host: HostChild): Promise<Result>;
  undo(result: Result, host: HostChild): void;
  readonly signal: AbortSignal | undefined;
}

/**
 * Runs a described backend in a child process: a crash there, or running out of memory, costs the work in flight and nothing else.
 *
 * - The child starts with the first call and is started again by the next call after it died. Sessions outlive it: they are
 *   opened again when they are next used. Tensors it kept are lost; using one is a `HostCrashedError`.
 * - Calls run one at a time, in order. A call in flight keeps this process alive, an idle child does not. The child ends with
 *   `close()`, or with this process, however that ends.
 * - An aborted call rejects at once and its work ends in the background; after `abortGraceMs` the child is replaced.
 * - A checkpoint crosses as its path and is opened again in the child.
 *
 * @throws {InvalidArgumentError} when the options of the description cannot be sent to another process.
 * @example
 * ```ts
 * import { createProcessBackend } from '@vibe-edit/core';
 * import { cpu } from '@vibe-edit/adapters/cpu';
 *
 * const backend = createProcessBackend(cpu({ threads: 4 }));
 * ```
 */
export function createProcessBackend(
  description: BackendDescription,
  options: ProcessBackendOptions = {},
): ProcessBackend {
  const { name } = description;
  const { env = {}, execArgv = [], abortGraceMs = DEFAULT_ABORT_GRACE_MS } = options;
  checkCloneable(description);
  const lane = createLane({ onBusy: (busy) => child?.hold(busy) });
  let child: HostChild | undefined;
  let lastSession = 0;
  let closing: Promise<void> | undefined;

  function living(): HostChild {
    if (child === undefined || child.death !== undefined) {
      child = startHostChild({ description, env, execArgv });
      child.hold(lane.busy);
    }
    return child;
  }

  function perform<Result>(step: Step<Result>): Promise<Result> {
    if (closing !== undefined) return Promise.reject(new ClosedError(`backend ${name}`));
    let host: HostChild | undefined;
    return lane.enter({
      signal: step.signal,
      async run() {
        host = living();
        return step.run(host);
      },
      // A short run is cheaper to wait for than sessions are to open again.
      patienceMs: abortGraceMs,
      onImpatient: () => void host?.kill(),
      onUnwanted: (result) => host !== undefined && step.undo(result, host),
    });
  }

  /** Tells the child without waiting; if it is dead, what it was to do is done. */
  function tell(host: HostChild, request: Request): void {
    host.call(request, {}, undefined).catch(() => {});
  }

  function read(tensor: KeptTensor): Promise<HostTensor> {
    return perform({
      signal: undefined,
      async run() {
        tensor.wire();
        const { tensors } = await tensor.owner.call({ kind: 'read', tensor: tensor.id }, {}, undefined);
        const { data } = tensors;
        if (data === undefined || 'kept' in data) {
          throw new BackendError({ backend: name, message: 'Expected the elements of a tensor but received none' });
        }
        return tensorFromBytes(data, name);
      },
      undo: () => {},
    });
  }

  function fromWire(wire: WireTensor, owner: HostChild): Tensor {
    if (!('kept' in wire)) return tensorFromBytes(wire, name);
    return new KeptTensor({ dtype: wire.dtype, shape: wire.shape, owner, id: wire.kept, backend: name, read });
  }

  function toWire(input: string, tensor: Tensor, host: HostChild, component: Component): WireTensor {
    if (isHostTensor(tensor)) return { dtype: tensor.dtype, shape: tensor.shape, bytes: tensorBytes(tensor.values) };
    if (tensor instanceof KeptTensor) {
      const wire = tensor.wire();
      if (tensor.owner === host) return wire;
    }
    const message = `Expected a host tensor or one that this backend kept for input ${input} but received another's`;
    throw new BackendError({ backend: name, component, message });
  }

  async function open(component: Component, checkpoint: Checkpoint, openOptions: OpenOptions = {}): Promise<Session> {
    lastSession += 1;
    const session = lastSession;
    let home: HostChild | undefined;
    let closed: Promise<void> | undefined;

    async function openIn(host: HostChild, signal: AbortSignal | undefined): Promise<HostReply> {
      const { path, hash } = checkpoint;
      const { task, taps, dimensions } = openOptions;
      const request = { kind: 'open', session, component, checkpoint: { path, hash }, task, taps, dimensions } as const;
      const reply = await host.call(request, {}, signal);
      home = host;
      return reply;
    }

    const { inputs, outputs, memoryBytes, mapped } = await perform({
      signal: openOptions.signal,
      run: (host) => openIn(host, openOptions.signal),
      undo: (_, host) => tell(host, { kind: 'close-session', session }),
    });

    return {
      component,
      inputs,
      outputs,
      memoryBytes,
      mapped,
      run(given, { outputs: wanted, keep = [], signal }: RunOptions = {}) {
        if (closed !== undefined) return Promise.reject(new ClosedError(`session of ${component}`));
        return perform({
          signal,
          async run(host) {
            const entries = Object.entries(given).map(([key, tensor]) => [key, toWire(key, tensor, host, component)]);
            if (home !== host) await openIn(host, signal);
            const request = { kind: 'run', session, outputs: wanted, keep } as const;
            const reply = await host.call(request, Object.fromEntries(entries), signal);
            const results = Object.entries(reply.tensors).map(([key, wire]) => [key, fromWire(wire, host)] as const);
            return Object.fromEntries(results);
          },
          undo: (results) => {
            for (const tensor of Object.values(results)) tensor.dispose();
          },
        });
      },
      close() {
        closed ??= closeSession();
        return closed;
      },
    };

    async function closeSession(): Promise<void> {
      const host = home;
      try {
        if (closing !== undefined) return;
        await perform({
          signal: undefined,
          async run() {
            await host?.call({ kind: 'close-session', session }, {}, undefined);
          },
          undo: () => {},
        });
      } catch (error) {
        // A session whose process has ended is closed.
        if (closing === undefined && host?.death === undefined) throw error;
      }
    }
  }

  async function close(): Promise<void> {
    const working = lane.running;
    lane.rejectAll(new ClosedError(`backend ${name}`));
    if (child === undefined || child.death !== undefined) return;
    child.hold(true);
    if (!working) {
      const tidy = child.call({ kind: 'close-backend' }, {}, undefined).catch(() => {});
      await Promise.race([tidy, sleep(CLOSE_GRACE_MS, undefined, { ref: false })]);
    }
    await child.kill();
  }

  return {
    name,
    get pid() {
      return child?.death === undefined ? child?.pid : undefined;
    },
    open,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

function checkCloneable(description: BackendDescription): void {
  try {
    // What the channel to the child does; it takes less than structured clone does.
    serialize(description.options);
  } catch (cause) {
    const received = cause instanceof Error ? cause.message : String(cause);
    const argument = `options of the backend ${description.name}`;
    throw new InvalidArgumentError({
      argument,
      expected: 'values that can be sent to another process',
      received,
      cause,
    });
  }
}
