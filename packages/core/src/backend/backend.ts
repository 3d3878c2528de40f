import type { Checkpoint } from '../checkpoint/checkpoint.js';
import type { Component } from './component.js';
import type { Tensor } from './tensor.js';

export interface OpenOptions {
  /** What the transformer will be used for; matters for `seq_cat` conditioning only. Default `edit`. */
  task?: 'edit' | 'generate';
  /** Outputs of single modules to make available besides the component's own, by their path in the checkpoint. For tests. */
  taps?: readonly string[];
  /** Symbolic dimensions to fix, e.g. `{ batch: 3, height: 16, width: 16 }`, for backends that gain by static shapes. */
  dimensions?: Readonly<Record<string, number>>;
  signal?: AbortSignal;
}

export interface RunOptions {
  /** Outputs wanted; default: the component's own, without taps. */
  outputs?: readonly string[];
  /** Outputs that stay with the backend (`location: 'backend'`); the others come to the host. */
  keep?: readonly string[];
  signal?: AbortSignal;
}

/** One component, loaded and ready to run. */
export interface Session {
  readonly component: Component;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Memory that its weights take while it is open, in bytes. Where a backend does not say, they count as float32. */
  readonly memoryBytes?: number | undefined;
  /** Whether they stay in the pages of their files, so that opening takes a moment. */
  readonly mapped?: boolean | undefined;
  /**
   * Runs the component. Inputs may be host tensors or tensors that a session of the same backend kept.
   * @throws {BackendError} when an input is missing or the run fails.
   * @throws {AbortedError} when the signal is aborted before or during the run.
   */
  run(inputs: Readonly<Record<string, Tensor>>, options?: RunOptions): Promise<Record<string, Tensor>>;
  /** Frees the component's memory. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Runs the components of a checkpoint. It chooses precision and graph passes; the pipeline sees tensors only.
 */
export interface Backend {
  /** Short name for messages, e.g. `cpu`. */
  readonly name: string;
  open(component: Component, checkpoint: Checkpoint, options?: OpenOptions): Promise<Session>;
  close(): Promise<void>;
}

/**
 * A backend described so that another process can make it: `module` (a package name or file URL) has an export `createBackend`
 * that takes `options` (structured-cloneable).
 */
export interface BackendDescription {
  /** Short name for messages, e.g. `cpu`. */
  readonly name: string;
  /** What `import()` takes in the child process; an absolute `file:` URL is safest. */
  readonly module: string;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** What the module of a `BackendDescription` exports. */
export interface BackendModule {
  createBackend(options?: Readonly<Record<string, unknown>>): Backend | Promise<Backend>;
}
