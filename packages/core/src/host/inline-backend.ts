import type { Backend, BackendDescription } from '../backend/backend.js';
import { loadBackend } from './load-backend.js';

/**
 * Makes a described backend in this process: for tests and small models. A run then blocks the event loop, and a crash of the
 * backend's native code is a crash of this process.
 * @throws {BackendUnavailableError} when the module cannot be imported or the backend cannot run here.
 */
export function createInlineBackend(description: BackendDescription): Promise<Backend> {
  return loadBackend(description);
}
