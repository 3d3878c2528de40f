import { VibeError } from './vibe-error.js';

/** A backend failed to open a component or to run it. */
export class BackendError extends VibeError {
  /** Name of the backend, e.g. `cpu`. */
  readonly backend: string;
  /** Component at work, e.g. `transformer`, where one was. */
  readonly component: string | undefined;

  constructor(details: { backend: string; component?: string; message: string; cause?: unknown }) {
    const where = details.component === undefined ? details.backend : `${details.backend}, ${details.component}`;
    super('VIBE_BACKEND_FAILED', `${where}: ${details.message}`, { cause: details.cause });
    this.backend = details.backend;
    this.component = details.component;
  }
}
