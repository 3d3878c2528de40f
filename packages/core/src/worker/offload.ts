import { Worker } from 'node:worker_threads';
import { AbortedError } from '../errors/aborted-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { OffloadError } from '../errors/offload-error.js';
import { OFFLOAD_BOOTSTRAP } from './offload-bootstrap.js';

/** Names of the functions that a module exports. */
export type FunctionName<Module> = {
  [Name in keyof Module]: Module[Name] extends (...args: never[]) => unknown ? Name : never;
}[keyof Module] &
  string;

type Arguments<Value> = Value extends (...args: infer Args) => unknown ? Readonly<Args> : never;
type Result<Value> = Value extends (...args: never[]) => infer Returned ? Awaited<Returned> : never;

/** One call of an exported function. */
export interface OffloadCall<Module, Name extends FunctionName<Module>> {
  /** Exported name of the function. */
  name: Name;
  /** Its arguments. They must be structured-cloneable. */
  args: Arguments<Module[Name]>;
  /**
   * Buffers of `args` to move instead of copying; they are empty for the caller afterwards. A `SharedArrayBuffer` is neither
   * moved nor copied and must not be listed.
   */
  transfer?: readonly ArrayBuffer[];
  /** Stops the call: one that waits never starts, one that runs is ended with its thread. */
  signal?: AbortSignal | undefined;
}

/** A worker thread that runs the exported functions of one module. */
export interface Offload<Module> {
  /**
   * Runs a function in the thread and gives what it returns (or what its promise gives). Calls run one at a time, in order.
   * Every `ArrayBuffer` that a view in the result covers in full is moved, not copied: a function must not return one that its
   * module keeps.
   *
   * @throws {OffloadError} the function threw (`cause` has its name, message, stack and code), or the thread died
   * @throws {InvalidArgumentError} an argument cannot be cloned
   * @throws {AbortedError} `signal` was aborted
   * @throws {ClosedError} the offload was closed
   */
  run<Name extends FunctionName<Module>>(call: OffloadCall<Module, Name>): Promise<Result<Module[Name]>>;
  /** Ends the thread; what runs or waits rejects with a `ClosedError`. Safe to call twice. */
  close(): Promise<void>;
}

interface Pending {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly transfer: readonly ArrayBuffer[];
  resolve(value: unknown): void;
  reject(error: Error): void;
}

interface Reply {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: {
    readonly name?: string;
    readonly message: string;
    readonly stack?: string;
    readonly code?: string;
  };
}

/** The error of the worker, as near to the one it threw as can be. */
function revive(described: NonNullable<Reply['error']>): Error {
  const error = new Error(described.message);
  if (described.name !== undefined) error.name = described.name;
  if (described.stack !== undefined) error.stack = described.stack;
  if (described.code !== undefined) Object.defineProperty(error, 'code', { value: described.code, enumerable: true });
  return error;
}

/**
 * Runs the functions of a module in a thread of their own, so that work on many pixels does not hold up the event loop.
 *
 * The thread starts with the first call, is used again by the next ones, is replaced when it dies, and keeps the process alive
 * only while a call is in flight. Arguments that are neither shared nor in `transfer` are copied on the calling thread, which
 * takes about 1 ms for 4 MB: hand over what is larger.
 *
 * @param options.module URL of a JavaScript module that Node can import, e.g. `new URL('./strips.js', import.meta.url)`
 * @example
 * // work.js exports `double(values: Float32Array): Float32Array`
 * const work = createOffload<{ double(values: Float32Array): Float32Array }>({ module: new URL('./work.js', import.meta.url) });
 * const values = new Float32Array(1_000_000);
 * const doubled = await work.run({ name: 'double', args: [values], transfer: [values.buffer] });
 * await work.close();
 */
export function createOffload<Module>(options: { module: URL }): Offload<Module> {
  const module = options.module.href;
  const waiting: Pending[] = [];
  let running: Pending | undefined;
  let worker: Worker | undefined;
  let closed = false;
  let lastId = 0;

  const fail = (call: Pending, reason: string, cause: unknown): void =>
    call.reject(new OffloadError({ module, functionName: call.name, reason, cause }));

  /** Takes the call that runs off the books; the thread may then rest. */
  function finish(): Pending | undefined {
    const call = running;
    running = undefined;
    worker?.unref();
    return call;
  }

  function drop(dead: Worker): boolean {
    if (worker !== dead) return false;
    worker = undefined;
    return true;
  }

  function start(): Worker {
    const started = new Worker(OFFLOAD_BOOTSTRAP, { eval: true, workerData: { module }, name: 'vibe-edit offload' });
    started.on('message', (reply: Reply) => {
      if (worker !== started || running?.id !== reply.id) return;
      const call = finish();
      if (call !== undefined) {
        if (reply.error === undefined) call.resolve(reply.value);
        else fail(call, reply.error.message, revive(reply.error));
      }
      next();
    });
    const died = (reason: string, cause: unknown): void => {
      if (!drop(started)) return;
      void started.terminate();
      const call = finish();
      if (call !== undefined) fail(call, reason, cause);
      next();
    };
    started.on('error', (error) => died('its thread died', error));
    started.on('messageerror', (error) => died('its result cannot be read', error));
    started.on('exit', (code) => died(`its thread ended with exit code ${code}`, undefined));
    return started;
  }

  function next(): void {
    while (running === undefined && !closed) {
      const call = waiting.shift();
      if (call === undefined) return;
      worker ??= start();
      try {
        worker.postMessage({ id: call.id, name: call.name, args: call.args }, call.transfer);
      } catch (cause) {
        const received = cause instanceof Error ? cause.message : String(cause);
        call.reject(
          new InvalidArgumentError({
            argument: `args of ${call.name}`,
            expected: 'values that can be cloned',
            received,
            cause,
          }),
        );
        worker.unref();
        continue;
      }
      running = call;
      worker.ref();
    }
  }

  /** Ends the call wherever it is; a running one takes its thread with it. */
  function cancel(call: Pending, reason: unknown): void {
    const index = waiting.indexOf(call);
    if (index >= 0) waiting.splice(index, 1);
    else if (running === call) {
      const ended = worker;
      finish();
      if (ended !== undefined) {
        drop(ended);
        void ended.terminate();
      }
    } else return;
    call.reject(new AbortedError(reason));
    next();
  }

  return {
    run: ({ name, args, transfer, signal }) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new ClosedError('offload'));
        if (signal?.aborted) return reject(new AbortedError(signal.reason));
        const onAbort = (): void => cancel(call, signal?.reason);
        const settle = <Value>(settled: (value: Value) => void) => {
          return (value: Value): void => {
            signal?.removeEventListener('abort', onAbort);
            settled(value);
          };
        };
        lastId += 1;
        const call: Pending = {
          id: lastId,
          name,
          args,
          transfer: transfer ?? [],
          resolve: settle((value: unknown) => resolve(value as Awaited<Parameters<typeof resolve>[0]>)),
          reject: settle(reject),
        };
        signal?.addEventListener('abort', onAbort, { once: true });
        waiting.push(call);
        next();
      }),
    async close() {
      closed = true;
      const calls = [...waiting.splice(0), ...(running === undefined ? [] : [running])];
      running = undefined;
      const ended = worker;
      worker = undefined;
      for (const call of calls) call.reject(new ClosedError('offload'));
      await ended?.terminate();
    },
  };
}
