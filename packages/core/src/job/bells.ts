/** Rings when something happens; a ring while nobody waits is kept for the next wait. */
export interface Bell {
  /** Resolves at the next ring, after the time, or when the signal is aborted. */
  next(options: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<void>;
  close(): void;
}

/** Bells by name: who waits for a thing hangs one up before looking at the thing, so that no change is missed. */
export interface Bells {
  hang(name: string): Bell;
  ring(name: string): void;
  ringAll(): void;
}

export function createBells(): Bells {
  const rings = new Map<string, Set<() => void>>();
  return {
    hang(name) {
      let rung = false;
      let wake: (() => void) | undefined;
      const ring = (): void => {
        rung = true;
        wake?.();
      };
      const group = rings.get(name) ?? new Set();
      rings.set(name, group.add(ring));
      return {
        async next({ timeoutMs, signal }) {
          if (!rung && !signal?.aborted) {
            await new Promise<void>((resolve) => {
              const done = (): void => {
                clearTimeout(timer);
                signal?.removeEventListener('abort', done);
                wake = undefined;
                resolve();
              };
              const timer = setTimeout(done, timeoutMs);
              signal?.addEventListener('abort', done, { once: true });
              wake = done;
            });
          }
          rung = false;
        },
        close() {
          group.delete(ring);
          if (group.size === 0 && rings.get(name) === group) rings.delete(name);
        },
      };
    },
    ring(name) {
      for (const ring of rings.get(name) ?? []) ring();
    },
    ringAll() {
      for (const group of rings.values()) for (const ring of group) ring();
    },
  };
}
