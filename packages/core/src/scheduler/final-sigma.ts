import { type SchedulerFields, schedulerFieldError } from './scheduler-fields.js';

const { cos, fround, sqrt } = Math;

/**
 * The noise level that a run ends at: 0, or with `final_sigmas_type` `sigma_min` the lowest of the diffusion schedule that the config's
 * betas describe, sqrt((1 - alpha) / alpha) with alpha = 1 - beta_0.
 */
export function finalSigma(fields: SchedulerFields, trainTimesteps: number): number {
  if (fields.oneOf('final_sigmas_type', 'zero', ['zero', 'sigma_min']) === 'zero') return 0;
  fields.mustBeOff('rescale_betas_zero_snr');
  const alpha = fround(1 - firstBeta(fields, trainTimesteps));
  return fround(sqrt(fround(fround(1 - alpha) / alpha)));
}

function firstBeta(fields: SchedulerFields, trainTimesteps: number): number {
  const trained = fields.raw('trained_betas') ?? undefined;
  if (trained !== undefined) {
    const first: unknown = Array.isArray(trained) ? trained[0] : undefined;
    if (typeof first === 'number' && first > 0 && first < 1) return fround(first);
    throw schedulerFieldError('trained_betas', 'null or a list of numbers between 0 and 1', trained);
  }
  const kind = fields.oneOf('beta_schedule', 'linear', ['linear', 'scaled_linear', 'squaredcos_cap_v2']);
  if (kind === 'squaredcos_cap_v2') {
    const share = (time: number) => cos((((time + 0.008) / 1.008) * Math.PI) / 2) ** 2;
    return fround(Math.min(1 - share(1 / trainTimesteps) / share(0), 0.999));
  }
  const start = fields.number('beta_start', 0.0001, 0);
  if (start >= 1) throw schedulerFieldError('beta_start', 'a number under 1', start);
  return kind === 'linear' ? fround(start) : fround(fround(sqrt(start)) ** 2);
}
