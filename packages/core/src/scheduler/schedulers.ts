import type { SchedulerConfig } from '../checkpoint/configs.js';
import { dpmSolverMultistep } from './dpm-solver-multistep.js';
import { flowMatchEulerDiscrete } from './flow-match-euler-discrete.js';
import type { Scheduler, SchedulerFactory } from './scheduler.js';
import { schedulerFieldError } from './scheduler-fields.js';

/** Schedulers by the `_class_name` of their config. */
export const SCHEDULERS: Readonly<Record<string, SchedulerFactory>> = {
  DPMSolverMultistepScheduler: dpmSolverMultistep,
  FlowMatchEulerDiscreteScheduler: flowMatchEulerDiscrete,
};

/**
 * Makes the scheduler that a checkpoint's config names.
 *
 * @param options.config `scheduler/scheduler_config.json`, parsed
 * @param options.schedulers the known classes; add your own to the default table
 * @throws {InvalidCheckpointError} the class is not known, or a field holds a value that cannot be run
 * @example
 * ```ts
 * import { createScheduler, openCheckpoint } from '@vibe-edit/core';
 *
 * const checkpoint = await openCheckpoint('./VIBE-Image-Edit');
 * const scheduler = createScheduler({ config: checkpoint.scheduler });
 * const { timesteps } = scheduler.setTimesteps(20);
 * ```
 */
export function createScheduler(options: {
  config: SchedulerConfig;
  schedulers?: Readonly<Record<string, SchedulerFactory>>;
}): Scheduler {
  const { config, schedulers = SCHEDULERS } = options;
  const name = config._class_name;
  const factory = Object.hasOwn(schedulers, name) ? schedulers[name] : undefined;
  if (factory === undefined) {
    throw schedulerFieldError('_class_name', Object.keys(schedulers).join(' or '), name);
  }
  return factory.create(config);
}
