import type { SchedulerConfig } from '../checkpoint/configs.js';
import { linspace } from './linspace.js';
import { checkStepCount, RunState } from './run-state.js';
import type { Schedule, Scheduler, SchedulerFactory, SchedulerStep } from './scheduler.js';
import { SchedulerFields, schedulerFieldError } from './scheduler-fields.js';

const { fround } = Math;

/**
 * Euler's method on the flow-matching differential equation (Esser et al., "Scaling rectified flow transformers", 2024; diffusers'
 * `FlowMatchEulerDiscreteScheduler`): x += (sigma_next - sigma) * v. Timesteps are sigma * 1000, not rounded.
 *
 * Not carried out, and refused: shifting by the picture's size, inverted, Karras, exponential and beta sigmas.
 */
export const flowMatchEulerDiscrete: SchedulerFactory = { create: createFlowMatchEuler };

function createFlowMatchEuler(config: SchedulerConfig): Scheduler {
  const fields = new SchedulerFields(config);
  fields.mustBeOff('use_dynamic_shifting', 'invert_sigmas');
  fields.mustBeOff('use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas');
  const shift = fields.number('shift', 1, 0);
  const trainTimesteps = fields.integer('num_train_timesteps', 1000, [2, 1_000_000]);
  const terminal = readTerminal(fields);
  const state = new RunState();

  function setTimesteps(numInferenceSteps: number): Schedule {
    checkStepCount(numInferenceSteps);
    // The reference shifts twice: the ends of the training schedule (float32), then every sigma between them (double).
    const first = shifted32(fround(trainTimesteps / trainTimesteps), shift) * trainTimesteps;
    const last = shifted32(fround(1 / trainTimesteps), shift) * trainTimesteps;
    const spaced = Array.from(linspace(first, last, numInferenceSteps), (timestep) => {
      const sigma = timestep / trainTimesteps;
      return (shift * sigma) / (1 + (shift - 1) * sigma);
    });
    const sigmas = Float32Array.of(...stretchToTerminal(spaced, terminal), 0);
    const timesteps = Array.from(sigmas.subarray(0, -1), (sigma) => fround(sigma * trainTimesteps));
    const schedule = { timesteps, sigmas };
    state.start(schedule);
    return schedule;
  }

  function step(current: SchedulerStep): Float32Array {
    const { sigmas } = state.advance(current);
    const change = fround(sigmas[current.stepIndex + 1]! - sigmas[current.stepIndex]!);
    const { modelOutput, sample } = current;
    const result = new Float32Array(sample.length);
    for (let i = 0; i < result.length; i++) result[i] = sample[i]! + fround(change * modelOutput[i]!);
    return result;
  }

  return { setTimesteps, step };
}

function shifted32(sigma: number, shift: number): number {
  return fround(fround(fround(shift) * sigma) / fround(1 + fround(fround(shift - 1) * sigma)));
}

function readTerminal(fields: SchedulerFields): number {
  const terminal = fields.raw('shift_terminal') ?? 0;
  if (typeof terminal === 'number' && terminal >= 0 && terminal < 1) return terminal;
  throw schedulerFieldError('shift_terminal', 'null or a number from 0 to under 1', terminal);
}

/** Stretches a schedule so that its last sigma is `terminal`; 0 leaves it as it is. */
function stretchToTerminal(sigmas: number[], terminal: number): number[] {
  if (terminal === 0) return sigmas;
  const scale = (1 - sigmas.at(-1)!) / (1 - terminal);
  return sigmas.map((sigma) => 1 - (1 - sigma) / scale);
}
