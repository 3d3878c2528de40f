import type { CompileTarget } from '@vibe-edit/compiler';
import type { Component } from '@vibe-edit/core/runtime';
import type { InferenceSession } from 'onnxruntime-node';

/** Settings of a session: the binding's own, and keys of ONNX Runtime's `AddSessionConfigEntry`, by their prefix. */
export interface OrtSessionSettings {
  readonly threads?: number;
  readonly memoryArena?: boolean;
  readonly entries: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What a plan may depend on. */
export interface OpenedComponent {
  readonly component: Component;
  /** Size of its weights in float32. */
  readonly weightBytes: number;
  /** Size of its weights in their files. */
  readonly storedBytes: number;
}

/** How a component is compiled and opened. */
export interface OrtPlan extends OrtSessionSettings {
  /** What the graph is compiled for. */
  readonly target: CompileTarget;
  /** What its weights take while it is open. */
  readonly memoryBytes?: number;
  /** Whether they stay in the pages of their files. */
  readonly mapped?: boolean;
}

/** What tells one execution provider of ONNX Runtime from another: all that a backend on it has to say. */
export interface OrtProvider {
  /** Name of the backend. */
  readonly name: string;
  readonly executionProviders: readonly InferenceSession.ExecutionProviderConfig[];
  /** Where the outputs of a run lie before somebody asks for them. */
  readonly outputLocation: 'cpu' | 'gpu-buffer';
  /** Whether a tensor may be freed after the session that made it. Where not, sessions wait for their tensors. */
  readonly tensorsOutliveSessions: boolean;
  plan(opened: OpenedComponent): OrtPlan;
  /** What is missing on this machine, when an error of session creation says so. */
  missing(error: Error): string | undefined;
}
