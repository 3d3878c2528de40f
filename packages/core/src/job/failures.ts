import { AbortedError } from '../errors/aborted-error.js';
import { JobLostError } from '../errors/job-lost-error.js';
import { VibeError } from '../errors/vibe-error.js';
import type { JobFailure } from './job.js';

const INTERNAL: JobFailure = {
  code: 'VIBE_INTERNAL',
  message: 'The job failed for a reason of its own; the log of the worker says more',
};

/** What callers are told of an error. Errors of others may hold paths or secrets and are not passed on. */
export function failureOf(error: unknown): JobFailure {
  return error instanceof VibeError ? { code: error.code, message: error.message } : INTERNAL;
}

export const CANCELLED: JobFailure = failureOf(new AbortedError());
export const EXPIRED: JobFailure = {
  code: 'VIBE_JOB_EXPIRED',
  message: 'No worker began the job in the time it was given',
};

export function lostFailure(attempts: number): JobFailure {
  return failureOf(new JobLostError({ attempts }));
}
