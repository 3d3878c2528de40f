import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { BackendDescription } from '../backend/backend.js';
import { BackendUnavailableError } from '../errors/backend-unavailable-error.js';
import { HostCrashedError } from '../errors/host-crashed-error.js';
import type { VibeError } from '../errors/vibe-error.js';
import { createChunkedChannel, type Frame } from './chunked-channel.js';
import { reviveError } from './error-codec.js';
import type { Envelope, Request, ToChild, ToParent } from './messages.js';

const STDERR_TAIL_CHARACTERS = 4096;
/** After its exit a child's last words may still be in the pipe. */
const LAST_WORDS_MS = 100;

type Tensors = Envelope<unknown>['tensors'];

/** What the child answered. */
export interface HostReply {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly memoryBytes: number | undefined;
  readonly mapped: boolean | undefined;
  readonly tensors: Tensors;
}

/** One child process, from its start to its death. */
export interface HostChild {
  readonly pid: number | undefined;
  /** Why it is no more; undefined while it lives. */
  readonly death: VibeError | undefined;
  /**
   * Has the child do something. When the signal is aborted before the child was told, it never is.
   * @throws {HostCrashedError} when the child dies before it answers.
   */
  call(request: Request, tensors: Tensors, signal: AbortSignal | undefined): Promise<HostReply>;
  /** Frees kept tensors in the child. */
  dispose(kept: readonly number[]): void;
  /** Whether the child keeps this process alive. */
  hold(held: boolean): void;
  /** Ends the process and waits until it is gone. */
  kill(): Promise<void>;
}

interface PendingCall {
  resolve(reply: HostReply): void;
  reject(error: Error): void;
}

export interface HostChildOptions {
  readonly description: BackendDescription;
  readonly env: Readonly<Record<string, string>>;
  readonly execArgv: readonly string[];
}

/**
 * Has glibc ask for huge pages, which it can be told only before a process starts: gigabytes of weights and activations are then given
 * out 2 MiB at a time and not 4 KiB. Other C libraries take no notice.
 */
function hugePages(): Readonly<Record<string, string>> {
  return process.platform === 'linux' ? { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1' } : {};
}

/** Starts a child process for a backend. Never throws: a child that cannot be started is a dead one. */
export function startHostChild({ description, env, execArgv }: HostChildOptions): HostChild {
  const child = fork(fileURLToPath(new URL('./child.js', import.meta.url)), [], {
    serialization: 'advanced',
    // Nothing of the child may end up in the output of the application.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [...execArgv],
    env: { ...hugePages(), ...process.env, ...env },
  });
  const pending = new Map<number, PendingCall>();
  const lastWords = tailOf(child);
  let lastCall = 0;
  let death: VibeError | undefined;
  let disposed: number[] = [];
  let markGone = (): void => {};
  const gone = new Promise<void>((resolve) => {
    markGone = resolve;
  });

  function die(error: VibeError): void {
    if (death !== undefined) return;
    death = error;
    for (const call of pending.values()) call.reject(error);
    pending.clear();
    if (child.connected) child.disconnect();
    markGone();
  }

  child.on('error', (cause) => {
    // Also emitted for messages that cannot be delivered; then 'exit' follows.
    if (child.pid !== undefined) return;
    die(new BackendUnavailableError({ backend: description.name, reason: 'its process cannot be started', cause }));
  });
  child.on('exit', (exitCode, signal) => {
    const report = (): void => die(new HostCrashedError({ exitCode, signal, cause: lastWords() }));
    child.once('close', report);
    setTimeout(report, LAST_WORDS_MS);
  });

  const channel = createChunkedChannel<ToChild, ToParent>({
    post: (frame) =>
      new Promise((resolve) => {
        // A channel that fails belongs to a process that is dying, and its death settles the call.
        child.send(frame, undefined, undefined, () => resolve());
      }),
  });
  child.on('message', (frame: Frame<ToParent>) => {
    const envelope = channel.receive(frame);
    if (envelope === undefined) return;
    const { body, tensors } = envelope;
    const call = pending.get(body.call);
    pending.delete(body.call);
    if (body.type === 'failed') call?.reject(reviveError(body.error));
    else {
      const { inputs = [], outputs = [], memoryBytes, mapped } = body;
      call?.resolve({ inputs, outputs, memoryBytes, mapped, tensors });
    }
  });

  const { name, module, options } = description;
  void channel.send({ body: { type: 'start', name, module, options }, tensors: {} });

  function hold(held: boolean): void {
    if (held) {
      child.ref();
      child.channel?.ref();
    } else {
      child.unref();
      child.channel?.unref();
    }
  }

  return {
    get pid() {
      return child.pid;
    },
    get death() {
      return death;
    },
    call(request, tensors, signal) {
      if (death !== undefined) return Promise.reject(death);
      lastCall += 1;
      const call = lastCall;
      return new Promise((resolve, reject) => {
        pending.set(call, { resolve, reject });
        channel.send({ body: { type: 'call', call, request }, tensors }, signal).catch((error: unknown) => {
          pending.delete(call);
          reject(error);
        });
      });
    },
    dispose(kept) {
      if (disposed.length === 0) {
        queueMicrotask(() => {
          const ids = disposed;
          disposed = [];
          if (death === undefined) void channel.send({ body: { type: 'dispose', kept: ids }, tensors: {} });
        });
      }
      disposed.push(...kept);
    },
    hold,
    async kill() {
      hold(true);
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** Reads what a child prints, which must not pile up in the pipe, and keeps the end of it. */
function tailOf(child: ChildProcess): () => Error | undefined {
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8');
    stream?.on('data', (text: string) => {
      tail = (tail + text).slice(-STDERR_TAIL_CHARACTERS);
    });
    // The pipe alone must not keep the process alive. Node types it as a stream, it is a socket.
    if (stream !== null && 'unref' in stream && typeof stream.unref === 'function') stream.unref();
  }
  return () => (tail.trim() === '' ? undefined : new Error(`The process last printed: ${tail.trim()}`));
}
