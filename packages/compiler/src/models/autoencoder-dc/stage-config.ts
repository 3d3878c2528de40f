import type { AutoencoderBlockType } from '@vibe-edit/core/runtime';
import type { Scope } from '../../ir/scope.js';
import type { Resolution } from './resolution.js';

/** What the blocks of one stage have in common. */
export interface StageConfig {
  readonly blockType: AutoencoderBlockType;
  readonly channels: number;
  readonly norm: string;
  /** Activation of a `ResBlock`. */
  readonly activation: string;
  readonly headDim: number;
  /** Kernel sizes of the additional scales of an attention. */
  readonly kernelSizes: readonly number[];
  readonly resolution: Resolution;
}

/** What a list with one entry a stage has for that stage. @throws {GraphError} when the list ends before it. */
export function ofStage<T>(scope: Scope, list: readonly T[], stage: number): T {
  return list[stage] ?? scope.op.fail('stage', `an entry for stage ${stage}`, `a list of ${list.length}`);
}
