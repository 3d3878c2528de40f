import type { CompileTarget } from '@vibe-edit/compiler';
import type { Component } from '@vibe-edit/core/runtime';
import type { InferenceSession } from 'onnxruntime-node';

/** Settings of a session: the binding's own, and keys of ONNX Runtime's `AddSessionConfigEntry`, by their prefix. */
export interface OrtSessionSettings {
  readonly threads?: number;
  readonly memoryArena?: boolean;
  readonly entries: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What session options may depend on. */
export interface OpenedComponent {
  readonly component: Component;
  /** Size of its weights in float32. */
  readonly weightBytes: number;
}

/** What tells one execution provider of ONNX Runtime from another: all that a backend on it has to say. */
export interface OrtProvider {
  /** Name of the backend. */
  readonly name: string;
  /** What graphs are compiled for. */
  readonly target: CompileTarget;
  readonly executionProviders: readonly InferenceSession.ExecutionProviderConfig[];
  /** Where the outputs of a run lie before somebody asks for them. */
  readonly outputLocation: 'cpu' | 'gpu-buffer';
  /** Whether a tensor may be freed after the session that made it. Where not, sessions wait for their tensors. */
  readonly tensorsOutliveSessions: boolean;
  /** How the session of a component is made. */
  sessionOptions(opened: OpenedComponent): OrtSessionSettings;
  /** What is missing on this machine, when an error of session creation says so. */
  missing(error: Error): string | undefined;
}
