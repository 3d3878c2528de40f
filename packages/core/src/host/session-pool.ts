import type { Backend, OpenOptions, Session } from '../backend/backend.js';
import type { Component } from '../backend/component.js';
import type { Checkpoint } from '../checkpoint/checkpoint.js';
import { AbortedError, throwIfAborted } from '../errors/aborted-error.js';
import { ClosedError } from '../errors/closed-error.js';
import type { SessionPool } from '../pipeline/session-pool.js';
import { componentBytes } from './component-memory.js';
import { memoryLimit } from './memory-limit.js';

export interface SessionPoolOptions {
  backend: Backend;
  checkpoint: Checkpoint;
  /**
   * - `keep`: every component stays open until the pool is closed.
   * - `sequential`: a component is closed when another one is wanted, so that one is open at a time.
   * - `auto`: components stay open as long as their weights fit half of the memory; then the one that was not used for the longest
   *   time goes first. A large one whose weights are mapped, which opens again in a moment, is closed after each use.
   */
  memory: 'keep' | 'sequential' | 'auto';
  /** Memory this process and its children may use, in bytes; only `auto` looks at it. Default: `memoryLimit()`. */
  memoryBytes?: number;
}

/** The other half is for activations, the system, and pages of the weight files. */
const SHARE_FOR_WEIGHTS = 0.5;
/** What takes less of the memory than this is not worth closing early. */
const SHARE_OF_LARGE = 1 / 32;

interface Entry {
  readonly component: Component;
  readonly session: Promise<Session>;
  users: number;
}

/** Opens the components of a checkpoint when they are used and keeps as many open as the memory allows. */
export function createSessionPool(options: SessionPoolOptions): SessionPool {
  const { backend, checkpoint, memory, memoryBytes = memoryLimit() } = options;
  const budget = { keep: Number.POSITIVE_INFINITY, sequential: 0, auto: memoryBytes * SHARE_FOR_WEIGHTS }[memory];
  /** As float32 until a component was open once and said how much it takes. */
  const sizes = { ...componentBytes(checkpoint) };
  /** Large components with mapped weights. */
  const closedAfterUse = new Set<Component>();
  /** Least recently used first. */
  const entries = new Map<string, Entry>();
  let closed = false;

  /** Closes what nobody uses until `bytes` more fit. */
  async function makeRoom(bytes: number): Promise<void> {
    let used = [...entries.values()].reduce((sum, entry) => sum + sizes[entry.component], 0);
    const evicted: Entry[] = [];
    for (const [key, entry] of entries) {
      if (used + bytes <= budget) break;
      if (entry.users > 0) continue;
      entries.delete(key);
      evicted.push(entry);
      used -= sizes[entry.component];
    }
    await Promise.all(evicted.map(closeEntry));
  }

  async function closeAfterUse(entry: Entry): Promise<void> {
    if (entry.users > 0 || !closedAfterUse.has(entry.component)) return;
    for (const [key, known] of entries) if (known === entry) entries.delete(key);
    await closeEntry(entry);
  }

  function enter(component: Component, openOptions: OpenOptions): Entry {
    const { task, taps, dimensions } = openOptions;
    const key = JSON.stringify([component, task, taps, dimensions]);
    const known = entries.get(key);
    const entry = known ?? { component, users: 0, session: open(component, openOptions) };
    entry.users += 1;
    // To the end: this one was used last.
    entries.delete(key);
    entries.set(key, entry);
    if (known === undefined) entry.session.catch(() => entries.get(key) === entry && entries.delete(key));
    return entry;
  }

  async function open(component: Component, { signal: _, ...openOptions }: OpenOptions): Promise<Session> {
    await makeRoom(sizes[component]);
    // Not for one user's signal to stop: another one may wait for it, and the next edit needs it anyway.
    const session = await backend.open(component, checkpoint, openOptions);
    sizes[component] = session.memoryBytes ?? sizes[component];
    if (memory === 'auto' && session.mapped && sizes[component] > SHARE_OF_LARGE * memoryBytes)
      closedAfterUse.add(component);
    return session;
  }

  return {
    async use(component, openOptions, work) {
      if (closed) throw new ClosedError('session pool');
      throwIfAborted(openOptions.signal);
      const entry = enter(component, openOptions);
      try {
        return await work(await unlessAborted(entry.session, openOptions.signal));
      } finally {
        entry.users -= 1;
        // Nobody waits for it; what is opened next comes after it all the same.
        closeAfterUse(entry).catch(() => {});
      }
    },
    async close() {
      closed = true;
      const all = [...entries.values()];
      entries.clear();
      await Promise.all(all.map(closeEntry));
    },
  };
}

async function closeEntry({ session }: Entry): Promise<void> {
  // One that failed to open has told its user.
  const opened = await session.catch(() => undefined);
  await opened?.close();
}

/** The promise's value, or an `AbortedError` as soon as the signal is aborted. */
function unlessAborted<Value>(promise: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new AbortedError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
