import type { SchedulerConfig } from '../checkpoint/configs.js';
import { finalSigma } from './final-sigma.js';
import { linspace } from './linspace.js';
import { checkStepCount, RunState } from './run-state.js';
import type { Schedule, Scheduler, SchedulerFactory, SchedulerStep } from './scheduler.js';
import { SchedulerFields } from './scheduler-fields.js';

const { exp, fround, log } = Math;

/** Runs this long and longer are not calmed down by `lower_order_final`. */
const LONG_RUN = 15;

/**
 * DPM-Solver++ in its multistep form, orders 1 to 3 (Lu et al., "DPM-Solver++: fast solver for guided sampling of diffusion
 * probabilistic models", 2022, section 4; diffusers' `DPMSolverMultistepScheduler`), on flow-matching noise levels: sigma is the share of
 * noise, alpha = 1 - sigma the share of picture, lambda = log(alpha / sigma). The model predicts the flow v = noise - picture, so the
 * picture is x0 = x - sigma * v. Timesteps are sigma * 1000, cut to whole numbers; sigmas stay exact.
 *
 * Arithmetic is float32 in the reference's order. Noise levels that are not flow sigmas, other predictions, the stochastic and the
 * noise-predicting solvers and thresholding are refused.
 */
export const dpmSolverMultistep: SchedulerFactory = { create: createDpmSolver };

interface Settings {
  readonly flowShift: number;
  readonly trainTimesteps: number;
  readonly order: number;
  readonly heun: boolean;
  readonly lowerOrderFinal: boolean;
  readonly eulerAtFinal: boolean;
  readonly finalSigma: number;
  readonly endsAtZero: boolean;
}

function readSettings(config: SchedulerConfig): Settings {
  const fields = new SchedulerFields(config);
  fields.oneOf('prediction_type', 'epsilon', ['flow_prediction']);
  // The reference takes "deis" for this solver and these solver types for "midpoint".
  fields.oneOf('algorithm_type', 'dpmsolver++', ['dpmsolver++', 'deis']);
  const type = fields.oneOf('solver_type', 'midpoint', ['midpoint', 'heun', 'logrho', 'bh1', 'bh2']);
  fields.mustBeOn('use_flow_sigmas');
  fields.mustBeOff('use_karras_sigmas', 'use_exponential_sigmas', 'use_beta_sigmas', 'use_lu_lambdas', 'thresholding');
  const trainTimesteps = fields.integer('num_train_timesteps', 1000, [2, 1_000_000]);
  return {
    flowShift: fields.number('flow_shift', 1, 0),
    trainTimesteps,
    order: fields.integer('solver_order', 2, [1, 3]),
    heun: type === 'heun',
    lowerOrderFinal: fields.boolean('lower_order_final', true),
    eulerAtFinal: fields.boolean('euler_at_final', false),
    finalSigma: finalSigma(fields, trainTimesteps),
    endsAtZero: fields.oneOf('final_sigmas_type', 'zero', ['zero', 'sigma_min']) === 'zero',
  };
}

function createDpmSolver(config: SchedulerConfig): Scheduler {
  const settings = readSettings(config);
  const state = new RunState();
  /** Predicted pictures of the steps before, latest first. */
  let earlier: Float32Array[] = [];

  function setTimesteps(numInferenceSteps: number): Schedule {
    checkStepCount(numInferenceSteps);
    const schedule = layOut(settings, numInferenceSteps);
    state.start(schedule);
    earlier = [];
    return schedule;
  }

  function step(current: SchedulerStep): Float32Array {
    const { sigmas } = state.advance(current);
    if (current.stepIndex === 0) earlier = [];
    const predicted = predictPicture(current, sigmas[current.stepIndex]!);
    const predictions = [predicted, ...earlier];
    const order = orderOfStep(settings, current.stepIndex, sigmas.length - 1);
    earlier = predictions.slice(0, settings.order - 1);
    return update({
      sample: current.sample,
      predictions,
      sigmas,
      stepIndex: current.stepIndex,
      order,
      heun: settings.heun,
    });
  }

  return { setTimesteps, step };
}

function layOut(settings: Settings, numInferenceSteps: number): Schedule {
  const { flowShift, trainTimesteps } = settings;
  const exact = Array.from(linspace(1, 1 / trainTimesteps, numInferenceSteps + 1), (alpha) => {
    const sigma = 1 - alpha;
    return (flowShift * sigma) / (1 + (flowShift - 1) * sigma);
  });
  // From the noisiest down; the noiseless end is the final sigma's place.
  const falling = exact.reverse().slice(0, -1);
  return {
    timesteps: falling.map((sigma) => Math.trunc(sigma * trainTimesteps)),
    sigmas: Float32Array.of(...falling, settings.finalSigma),
  };
}

function predictPicture({ modelOutput, sample }: SchedulerStep, sigma: number): Float32Array {
  const picture = new Float32Array(sample.length);
  for (let i = 0; i < picture.length; i++) picture[i] = sample[i]! - fround(sigma * modelOutput[i]!);
  return picture;
}

/** Looking back needs steps to look back on, and a run's end is calmer at lower order. */
function orderOfStep(settings: Settings, stepIndex: number, steps: number): number {
  const calm = settings.lowerOrderFinal && steps < LONG_RUN;
  if (stepIndex === steps - 1 && (settings.eulerAtFinal || calm || settings.endsAtZero)) return 1;
  const available = Math.min(settings.order, stepIndex + 1);
  return stepIndex === steps - 2 && calm ? Math.min(available, 2) : available;
}

interface Update {
  readonly sample: Float32Array;
  /** Predicted pictures, latest first. */
  readonly predictions: readonly Float32Array[];
  readonly sigmas: Float32Array;
  readonly stepIndex: number;
  readonly order: number;
  readonly heun: boolean;
}

/** lambda = log(alpha) - log(sigma), infinite where nothing of the noise is left. */
function logSnr(sigma: number): number {
  return fround(fround(log(fround(1 - sigma))) - fround(log(sigma)));
}

/**
 * x' = (sigma' / sigma) x - alpha' (e^-h - 1) D0 + ... with h = lambda' - lambda, D0 the latest prediction, D1 and D2 the divided
 * differences of the predictions over lambda (DPM-Solver++, appendix B.2 and B.3).
 */
function update({ sample, predictions, sigmas, stepIndex, order, heun }: Update): Float32Array {
  const [target, current] = [sigmas[stepIndex + 1]!, sigmas[stepIndex]!];
  const alpha = fround(1 - target);
  const lambda = logSnr(current);
  const h = fround(logSnr(target) - lambda);
  const decay = fround(fround(exp(-h)) - 1);
  const keep = fround(target / current);
  const pull = fround(alpha * decay);
  // As many predictions as the order asks for are there: `orderOfStep` counts them.
  const [m0, m1, m2] = [predictions[0]!, predictions[1]!, predictions[2]!];
  const result = new Float32Array(sample.length);
  if (order === 1) {
    for (let i = 0; i < result.length; i++) result[i] = fround(keep * sample[i]!) - fround(pull * m0[i]!);
    return result;
  }
  const lambda1 = logSnr(sigmas[stepIndex - 1]!);
  const r0 = fround(fround(lambda - lambda1) / h);
  const perR0 = fround(1 / r0);
  const slope = fround(alpha * fround(fround(decay / h) + 1));
  if (order === 2) {
    const weight = heun ? slope : -0.5 * pull;
    for (let i = 0; i < result.length; i++) {
      const first = fround(fround(keep * sample[i]!) - fround(pull * m0[i]!));
      result[i] = first + fround(weight * fround(perR0 * fround(m0[i]! - m1[i]!)));
    }
    return result;
  }
  const r1 = fround(fround(lambda1 - logSnr(sigmas[stepIndex - 2]!)) / h);
  const perR1 = fround(1 / r1);
  const sum = fround(r0 + r1);
  const lean = fround(r0 / sum);
  const perSum = fround(1 / sum);
  const bend = fround(alpha * fround(fround(fround(decay + h) / fround(h * h)) - 0.5));
  for (let i = 0; i < result.length; i++) {
    const near = fround(perR0 * fround(m0[i]! - m1[i]!));
    const far = fround(perR1 * fround(m1[i]! - m2[i]!));
    const difference = fround(near - far);
    const d1 = fround(near + fround(lean * difference));
    const first = fround(fround(keep * sample[i]!) - fround(pull * m0[i]!));
    result[i] = fround(first + fround(slope * d1)) - fround(bend * fround(perSum * difference));
  }
  return result;
}
