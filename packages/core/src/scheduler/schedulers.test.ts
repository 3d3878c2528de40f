import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { goldenJson, goldenTensors, maxDifference } from '../../../../test/golden-vectors.js';
import type { SchedulerConfig } from '../checkpoint/configs.js';
import { InvalidArgumentError, InvalidCheckpointError } from '../errors/index.js';
import { createScheduler, SCHEDULERS } from './schedulers.js';

/**
 * Most steps are equal bit by bit. Where they are not, torch's logarithm or exponential of one noise level was rounded the other way, and
 * the solver's differences of neighbouring levels magnify that last bit; values reach 5.
 */
const TOLERANCE = 3e-6;

interface Variant {
  name: string;
  class: string;
  config: Record<string, unknown>;
  steps: number[];
}

const variants = goldenJson<Variant[]>('vectors/scheduler.json');
const tensors = goldenTensors('vectors/scheduler.safetensors');
const runs = variants.flatMap((variant) =>
  variant.steps.map((steps) => ({
    key: `${variant.name}/steps=${steps}`,
    steps,
    config: { _class_name: variant.class, ...variant.config },
  })),
);

const sana: SchedulerConfig = {
  _class_name: 'DPMSolverMultistepScheduler',
  use_flow_sigmas: true,
  flow_shift: 3,
  prediction_type: 'flow_prediction',
};
const euler: SchedulerConfig = { _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 3 };

describe.each(runs)('$key', ({ key, steps, config }) => {
  const expected = (name: string) => tensors.get(`${key}/${name}`)!;

  test('has the timesteps and sigmas of diffusers', () => {
    const { timesteps, sigmas } = createScheduler({ config }).setTimesteps(steps);
    expect(timesteps).toEqual(Array.from(expected('timesteps').values));
    expect(sigmas).toEqual(expected('sigmas').values);
  });

  test('steps as diffusers does', () => {
    const scheduler = createScheduler({ config });
    scheduler.setTimesteps(steps);
    const outputs = expected('model_outputs').values as Float32Array;
    const results = expected('results').values as Float32Array;
    let sample = expected('sample').values as Float32Array;
    const size = sample.length;
    for (let stepIndex = 0; stepIndex < steps; stepIndex++) {
      const modelOutput = outputs.subarray(stepIndex * size, (stepIndex + 1) * size);
      sample = scheduler.step({ modelOutput, stepIndex, sample });
      expect(maxDifference(sample, results.subarray(stepIndex * size, (stepIndex + 1) * size))).toBeLessThan(TOLERANCE);
    }
  });
});

test('every golden tensor belongs to a run', () => {
  expect(tensors.size).toBe(runs.length * 5);
});

test('a run of the reference: shift 3 in 20 steps', () => {
  const { timesteps } = createScheduler({ config: sana }).setTimesteps(20);
  expect(timesteps.slice(0, 3)).toEqual([999, 982, 963]);
});

test('with every prediction right, any run ends at the picture', () => {
  const configs = [sana, { ...sana, solver_order: 3 }, { ...sana, solver_type: 'heun', euler_at_final: true }, euler];
  fc.assert(
    fc.property(
      fc.constantFrom(...configs),
      fc.integer({ min: 1, max: 40 }),
      fc.float({ min: -3, max: 3, noNaN: true }),
      fc.float({ min: -3, max: 3, noNaN: true }),
      (config, steps, picture, noise) => {
        const scheduler = createScheduler({ config });
        const { sigmas } = scheduler.setTimesteps(steps);
        const first = sigmas[0]!;
        let sample: Float32Array = Float32Array.of((1 - first) * picture + first * noise);
        for (let stepIndex = 0; stepIndex < steps; stepIndex++) {
          sample = scheduler.step({ modelOutput: Float32Array.of(noise - picture), stepIndex, sample });
        }
        expect(sample[0]).toBeCloseTo(picture, 3);
      },
    ),
  );
});

test('a run can be started again from its first step, with nothing left of the one before', () => {
  const scheduler = createScheduler({ config: sana });
  scheduler.setTimesteps(4);
  const run = () => {
    let sample: Float32Array = Float32Array.of(0.5, -1);
    for (let stepIndex = 0; stepIndex < 4; stepIndex++) {
      sample = scheduler.step({ modelOutput: Float32Array.of(stepIndex, 1), stepIndex, sample });
    }
    return sample;
  };
  const first = run();
  expect(run()).toEqual(first);
});

test.each([sana, euler])('steps out of order or of other lengths are refused: $_class_name', (config) => {
  const scheduler = createScheduler({ config });
  const values = Float32Array.of(1, 2);
  const step = (stepIndex: number, modelOutput = values) => scheduler.step({ modelOutput, stepIndex, sample: values });
  expect(() => step(0)).toThrow(InvalidArgumentError);
  scheduler.setTimesteps(2);
  expect(() => step(1)).toThrow(InvalidArgumentError);
  expect(() => step(0, Float32Array.of(1))).toThrow(InvalidArgumentError);
  step(0);
  step(1);
  expect(() => step(2)).toThrow(InvalidArgumentError);
  for (const steps of [0, -1, 1.5, Number.NaN, 1e9]) {
    expect(() => scheduler.setTimesteps(steps)).toThrow(InvalidArgumentError);
  }
});

test.each([
  ['_class_name', { ...sana, _class_name: 'PNDMScheduler' }],
  ['_class_name', { ...sana, _class_name: 'toString' }],
  ['use_flow_sigmas', { ...sana, use_flow_sigmas: false }],
  ['prediction_type', { ...sana, prediction_type: undefined }],
  ['prediction_type', { ...sana, prediction_type: 'v_prediction' }],
  ['algorithm_type', { ...sana, algorithm_type: 'sde-dpmsolver++' }],
  ['solver_type', { ...sana, solver_type: 'other' }],
  ['solver_order', { ...sana, solver_order: 4 }],
  ['flow_shift', { ...sana, flow_shift: 0 }],
  ['flow_shift', { ...sana, flow_shift: '3' }],
  ['num_train_timesteps', { ...sana, num_train_timesteps: 0 }],
  ['final_sigmas_type', { ...sana, final_sigmas_type: 'sigma_max' }],
  ['lower_order_final', { ...sana, lower_order_final: 'yes' }],
  ['use_karras_sigmas', { ...sana, use_karras_sigmas: true }],
  ['thresholding', { ...sana, thresholding: true }],
  ['beta_schedule', { ...sana, final_sigmas_type: 'sigma_min', beta_schedule: 'cubic' }],
  ['beta_start', { ...sana, final_sigmas_type: 'sigma_min', beta_start: 2 }],
  ['trained_betas', { ...sana, final_sigmas_type: 'sigma_min', trained_betas: [] }],
  ['use_dynamic_shifting', { ...euler, use_dynamic_shifting: true }],
  ['shift', { ...euler, shift: Number.POSITIVE_INFINITY }],
  ['shift_terminal', { ...euler, shift_terminal: 1 }],
  ['invert_sigmas', { ...euler, invert_sigmas: true }],
])('a config that cannot be run is refused by its field: %s', (field, config) => {
  const create = () => createScheduler({ config });
  expect(create).toThrow(InvalidCheckpointError);
  expect(create).toThrow(new RegExp(`${field}.*scheduler_config.json`));
});

test('another class can be added to the table', () => {
  const schedulers = { ...SCHEDULERS, Mine: SCHEDULERS.FlowMatchEulerDiscreteScheduler! };
  const scheduler = createScheduler({ config: { _class_name: 'Mine' }, schedulers });
  expect(scheduler.setTimesteps(1).timesteps).toEqual([1000]);
});

const toSigmaMin = { ...sana, final_sigmas_type: 'sigma_min' };

// Computed with diffusers 0.33.1 from the sample and predictions below.
test.each([
  [
    { ...toSigmaMin, lower_order_final: false, solver_order: 3 },
    0.010001329705119133,
    [0.8688876032829285, -0.41963493824005127],
  ],
  [
    { ...toSigmaMin, beta_schedule: 'scaled_linear', beta_start: 0.00085, solver_type: 'bh2' },
    0.029167532920837402,
    [0.8814921975135803, -0.44635525345802307],
  ],
  [
    { ...toSigmaMin, beta_schedule: 'squaredcos_cap_v2', euler_at_final: true, solver_order: 3 },
    0.006427108775824308,
    [0.885141134262085, -0.4611626863479614],
  ],
  [
    { ...toSigmaMin, trained_betas: [0.001, 0.002], algorithm_type: 'deis' },
    0.03163839504122734,
    [0.8814921975135803, -0.4457375407218933],
  ],
  [{ ...sana, num_train_timesteps: 500, flow_shift: 1 }, 0, [0.7821332812309265, -0.20483353734016418]],
  [
    { ...sana, euler_at_final: true, lower_order_final: false, solver_order: 3, flow_shift: 7.25 },
    0,
    [0.9404165148735046, -0.6010069847106934],
  ],
  [{ ...euler, shift: 1.7 }, 0, [0.7426127791404724, -0.10653204470872879]],
  [{ ...euler, shift_terminal: 0.1 }, 0, [0.8049154281616211, -0.26228833198547363]],
  [{ ...euler, shift: 1, num_train_timesteps: 500 }, 0, [0.7006000280380249, -0.0014999983832240105]],
])('rarer settings go as in diffusers: %j', (config, lastSigma, expected) => {
  const scheduler = createScheduler({ config });
  const { sigmas } = scheduler.setTimesteps(6);
  expect(sigmas.at(-1)).toBe(lastSigma);
  let sample: Float32Array = Float32Array.of(1, -0.5);
  for (let stepIndex = 0; stepIndex < 6; stepIndex++) {
    const modelOutput = Float32Array.of(0.5 - 0.1 * stepIndex, 0.25 * stepIndex - 1);
    sample = scheduler.step({ modelOutput, stepIndex, sample });
  }
  expect(maxDifference(sample, expected)).toBeLessThan(TOLERANCE);
});
