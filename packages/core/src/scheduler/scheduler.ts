import type { SchedulerConfig } from '../checkpoint/configs.js';

/** The noise levels of one run, from pure noise to the picture. */
export interface Schedule {
  /** What the model is told at each step; `numInferenceSteps` values, falling. Whole numbers where the scheduler rounds them. */
  readonly timesteps: readonly number[];
  /** Noise level before each step and after the last; one more value than timesteps. */
  readonly sigmas: Float32Array;
}

/** What a step starts from. Both arrays have the same length and layout. */
export interface SchedulerStep {
  /** The model's prediction, guidance included. */
  readonly modelOutput: Float32Array;
  /** 0-based. Steps come in order; 0 starts a run anew. */
  readonly stepIndex: number;
  /** The latents that the prediction was made for. */
  readonly sample: Float32Array;
}

/**
 * Turns a model's predictions into the next, less noisy latents. It keeps the predictions of a run that a multistep solver
 * needs, so every edit has a scheduler of its own.
 */
export interface Scheduler {
  /**
   * Lays out a run; to be called before its first step.
   * @throws {InvalidArgumentError} the number of steps is no whole number above 0
   */
  setTimesteps(numInferenceSteps: number): Schedule;
  /**
   * The latents after a step, in a new array. Computed in float32.
   * @throws {InvalidArgumentError} the step is out of order, or its arrays differ in length
   */
  step(step: SchedulerStep): Float32Array;
}

/** Makes schedulers of one class. */
export interface SchedulerFactory {
  /** @throws {InvalidCheckpointError} the config holds a value that this version cannot run */
  create(config: SchedulerConfig): Scheduler;
}
