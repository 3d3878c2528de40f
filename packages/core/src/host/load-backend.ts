import { isAbsolute } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Backend, BackendModule } from '../backend/backend.js';
import { BackendUnavailableError } from '../errors/backend-unavailable-error.js';
import { VibeError } from '../errors/vibe-error.js';

/** What is needed of a `BackendDescription`. */
export interface LoadableBackend {
  readonly name: string;
  readonly module: string;
  readonly options?: Readonly<Record<string, unknown>> | undefined;
}

/**
 * Imports the module of a backend's description and makes the backend.
 * @throws {BackendUnavailableError} when the module cannot be imported or exports no `createBackend`.
 */
export async function loadBackend(description: LoadableBackend): Promise<Backend> {
  const { name, module, options } = description;
  // Windows paths look like URLs with the drive as their scheme.
  const specifier = isAbsolute(module) ? pathToFileURL(module).href : module;
  let imported: Partial<BackendModule>;
  try {
    imported = await import(specifier);
  } catch (cause) {
    if (cause instanceof VibeError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new BackendUnavailableError({
      backend: name,
      reason: `its module ${module} cannot be imported (${why})`,
      cause,
    });
  }
  if (typeof imported.createBackend !== 'function') {
    const reason = `its module ${module} has no export createBackend`;
    throw new BackendUnavailableError({ backend: name, reason });
  }
  return imported.createBackend(options);
}
