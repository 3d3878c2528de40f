import { QueueUnavailableError, VibeError } from '@vibe-edit/core';

/** Begins, or in a script is inside, what Redis answers while it cannot serve for now: it starts, changes its master, has no memory. */
const NOT_NOW = /\b(BUSY|CLUSTERDOWN|LOADING|MASTERDOWN|MISCONF|NOREPLICAS|OOM|READONLY|TRYAGAIN)\b/;

/**
 * The same functions; where they fail since Redis is away, or cannot serve for now, that is a `QueueUnavailableError`.
 * @param options.where See the error.
 */
export function tellOutages<Functions extends object>(functions: Functions, { where }: { where: string }): Functions {
  const told = (cause: unknown): never => {
    if (cause instanceof VibeError || isRefusal(cause)) throw cause;
    throw new QueueUnavailableError({ where, cause });
  };
  const entries = Object.entries(functions).map(([name, call]) => [
    name,
    (...values: unknown[]): unknown => {
      const result: unknown = call(...values);
      return result instanceof Promise ? result.catch(told) : result;
    },
  ]);
  return Object.fromEntries(entries) as Functions;
}

/** An answer of Redis that says that the command is wrong: it would be again. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && !NOT_NOW.test(error.message);
}
