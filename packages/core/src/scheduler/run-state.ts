import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import type { Schedule, SchedulerStep } from './scheduler.js';

/** Checks a step count that a caller gave. */
export function checkStepCount(numInferenceSteps: number): void {
  if (Number.isSafeInteger(numInferenceSteps) && numInferenceSteps > 0 && numInferenceSteps <= 1_000_000) return;
  throw new InvalidArgumentError({
    argument: 'numInferenceSteps',
    expected: 'a whole number from 1 to 1000000',
    received: String(numInferenceSteps),
  });
}

/** Which step of a run comes next. Solvers that look back would give wrong latents silently when steps came out of order. */
export class RunState {
  #schedule: Schedule | undefined;
  #next = 0;

  start(schedule: Schedule): void {
    this.#schedule = schedule;
    this.#next = 0;
  }

  /**
   * Takes the next step.
   * @returns the schedule it belongs to
   * @throws {InvalidArgumentError} `setTimesteps` was not called, the step is out of order, or its arrays differ in length
   */
  advance({ modelOutput, sample, stepIndex }: SchedulerStep): Schedule {
    const schedule = this.#schedule;
    if (schedule === undefined) {
      throw new InvalidArgumentError({
        argument: 'stepIndex',
        expected: 'a step of a run laid out by setTimesteps',
        received: `${stepIndex} before setTimesteps`,
      });
    }
    const inOrder = stepIndex === 0 || stepIndex === this.#next;
    if (!inOrder || stepIndex >= schedule.timesteps.length) {
      const last = schedule.timesteps.length - 1;
      throw new InvalidArgumentError({
        argument: 'stepIndex',
        expected: this.#next > last ? '0 (the run is over)' : this.#next === 0 ? '0' : `0 or ${this.#next}`,
        received: String(stepIndex),
      });
    }
    if (modelOutput.length !== sample.length) {
      throw new InvalidArgumentError({
        argument: 'modelOutput',
        expected: `${sample.length} values, as the sample has`,
        received: String(modelOutput.length),
      });
    }
    this.#next = stepIndex + 1;
    return schedule;
  }
}
