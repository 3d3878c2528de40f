import { createMemoryQueue, HostCrashedError, type JobResult, waitForJob } from '@vibe-edit/core';
import { expect, it } from 'vitest';
import { limitCrashes } from './limit-crashes.js';

const RESULT: JobResult = {
  images: [],
  seed: 1,
  warnings: [],
  seconds: { queue: 0, prepare: 0, condition: 0, encode: 0, denoise: 0, decode: 0, restore: 0 },
};
const crash = (): never => {
  throw new HostCrashedError({ signal: 'SIGKILL', exitCode: null });
};

it('tries a job again that its child process died under, three times in all', async () => {
  const queue = limitCrashes(createMemoryQueue({ maxAttempts: 25 }));
  const begun = new Map<string, number>();
  const worker = queue.work(
    async ({ job }) => {
      const times = (begun.get(job.id) ?? 0) + 1;
      begun.set(job.id, times);
      return job.request.instruction === 'poison' || times < 3 ? crash() : RESULT;
    },
    { isTransient: (error) => error instanceof HostCrashedError },
  );
  const poison = await queue.submit({ kind: 'generate', user: 'a', instruction: 'poison' });
  const unlucky = await queue.submit({ kind: 'generate', user: 'b', instruction: 'unlucky' });
  expect(await waitForJob({ queue, id: poison.id })).toMatchObject({
    state: 'failed',
    attempts: 3,
    error: { code: 'VIBE_JOB_LOST' },
  });
  expect(await waitForJob({ queue, id: unlucky.id })).toMatchObject({ state: 'succeeded', attempts: 3 });
  await worker.close();
  await queue.close();
});
