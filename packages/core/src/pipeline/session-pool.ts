import type { OpenOptions, Session } from '../backend/backend.js';
import type { Component } from '../backend/component.js';

/** Opens components when they are used and decides which stay open. */
export interface SessionPool {
  /** Hands an open session to `work`; the pool closes it, not the work. Tensors that the session kept stay valid. */
  use<Result>(component: Component, options: OpenOptions, work: (session: Session) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}
