import { fileURLToPath } from 'node:url';
import { cpu } from '@vibe-edit/adapters/cpu';
import { createEditor, createProcessBackend, type EditResult } from '@vibe-edit/core';
import { type Backend, COMPONENTS, HostCrashedError, type Session } from '@vibe-edit/core/runtime';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CHECKPOINT_PATH, rejection } from './host-fixture.js';

const image = fileURLToPath(new URL('../fixtures/golden/tiny-a/input.png', import.meta.url));
const calls = COMPONENTS.flatMap((component) => [`open ${component}`, `run ${component}`]);

const host = createProcessBackend(cpu({ threads: 1 }));
/** The call in whose middle the process is to die. */
let victim: string | undefined;

/** Starts a call and, if it is the victim, kills the process before it can answer. */
function start<Result>(call: string, work: () => Promise<Result>): Promise<Result> {
  const result = work();
  if (call === victim) {
    victim = undefined;
    // A quick one would be done before: where there is a process already, it is stopped first.
    if (host.pid !== undefined) process.kill(host.pid, 'SIGSTOP');
    setImmediate(() => process.kill(host.pid!, 'SIGKILL'));
  }
  return result;
}

const backend: Backend = {
  name: host.name,
  async open(component, checkpoint, options): Promise<Session> {
    const session = await start(`open ${component}`, () => host.open(component, checkpoint, options));
    return {
      ...session,
      run: (inputs, runOptions) => start(`run ${component}`, () => session.run(inputs, runOptions)),
    };
  },
  close: () => host.close(),
};

let editor: Awaited<ReturnType<typeof createEditor>>;
const edit = (): Promise<EditResult> =>
  editor.edit({ image, instruction: 'make the sky blue', numInferenceSteps: 1, guidanceScale: 1, preserve: 'off' });
let expected: EditResult;

beforeAll(async () => {
  editor = await createEditor({ checkpoint: CHECKPOINT_PATH, backend, memory: 'sequential' });
  expected = await edit();
});
afterAll(async () => {
  await editor.close();
  await host.close();
});

test.each(calls)('an edit whose process dies in the middle of %s is one typed error', async (call) => {
  victim = call;
  const error = await rejection(edit());
  expect(error).toBeInstanceOf(HostCrashedError);
  expect(victim).toBeUndefined();
  const next = await edit();
  expect(Buffer.compare(next.image.raster.data, expected.image.raster.data)).toBe(0);
});
