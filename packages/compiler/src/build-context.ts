import type { Checkpoint, DType } from '@vibe-edit/core/runtime';
import type { Graph, Value } from './ir/graph.js';
import type { Dim } from './ir/shape.js';
import type { CompileTarget } from './target.js';

/** What every model definition is built from. */
export interface BuildContext {
  readonly graph: Graph;
  readonly checkpoint: Checkpoint;
  readonly task: 'edit' | 'generate';
  readonly taps: readonly string[];
  readonly target: CompileTarget;
  /** A graph input whose symbolic dimensions are replaced by the fixed ones. */
  input(name: string, dtype: DType, shape: readonly Dim[]): Value;
}

/** Builds the graph and returns the tap paths that no module had. */
export type ComponentBuilder = (context: BuildContext) => readonly string[];
