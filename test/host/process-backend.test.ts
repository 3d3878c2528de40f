import { createProcessBackend } from '@vibe-edit/core';
import {
  AbortedError,
  type Backend,
  BackendError,
  BackendUnavailableError,
  type Checkpoint,
  ClosedError,
  COMPONENTS,
  type Component,
  HostCrashedError,
  InvalidArgumentError,
  InvalidCheckpointError,
  type Tensor,
} from '@vibe-edit/core/runtime';
import { createFakeBackend, exampleInputs, fakeComponent } from '@vibe-edit/core/testing';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import {
  CHECKPOINT_PATH,
  createFakeHost,
  fakeHost,
  isAlive,
  processState,
  rejection,
  tinyCheckpoint,
  until,
} from './host-fixture.js';

async function valuesOf(outputs: Record<string, Tensor>): Promise<Record<string, unknown>> {
  const entries = Object.entries(outputs).map(async ([name, tensor]) => [name, [tensor.shape, await tensor.data()]]);
  return Object.fromEntries(await Promise.all(entries));
}

describe('a backend in a child process', () => {
  test('gives what it gives in this process, for every component', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const inline = createFakeBackend();
    let context: Record<string, Tensor> = {};
    for (const component of COMPONENTS) {
      const inputs = exampleInputs({ component, checkpoint, context });
      const here = await inline.open(component, checkpoint);
      const there = await backend.open(component, checkpoint);
      expect(there.inputs).toEqual(here.inputs);
      expect(there.outputs).toEqual(here.outputs);
      const outputs = await here.run(inputs);
      expect(await valuesOf(await there.run(inputs)), component).toEqual(await valuesOf(outputs));
      if (component === 'transformerContext') context = outputs;
      await there.close();
    }
  });

  test('keeps tensors, takes them back, and frees them', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const connector = await backend.open('connector', checkpoint);
    const { prompt_embeds } = await connector.run(exampleInputs({ component: 'connector', checkpoint }), {
      keep: ['prompt_embeds'],
    });
    expect(prompt_embeds?.location).toBe('backend');
    // What was kept outlives its session.
    await connector.close();
    const session = await backend.open('transformerContext', checkpoint);
    const kept = await session.run({ prompt_embeds: prompt_embeds! });
    const copied = await session.run({
      prompt_embeds: { ...prompt_embeds!, location: 'host', values: await prompt_embeds!.data() } as Tensor,
    });
    expect(await valuesOf(kept)).toEqual(await valuesOf(copied));
    prompt_embeds!.dispose();
    prompt_embeds!.dispose();
    expect(await rejection(prompt_embeds!.data())).toBeInstanceOf(BackendError);
    expect(await rejection(session.run({ prompt_embeds: prompt_embeds! }))).toBeInstanceOf(BackendError);
  });

  test('does not take the tensors of another backend', async () => {
    const checkpoint = await tinyCheckpoint();
    const [one, other] = [await fakeHost(), await fakeHost()];
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    const connector = await one.backend.open('connector', checkpoint);
    const { prompt_embeds } = await connector.run(inputs, { keep: ['prompt_embeds'] });
    const session = await other.backend.open('transformerContext', checkpoint);
    const error = await rejection(session.run({ prompt_embeds: prompt_embeds! }));
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject({ component: 'transformerContext', message: expect.stringContaining('prompt_embeds') });
  });

  test('large tensors arrive whole in both directions', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const session = await backend.open('vaeDecoder', checkpoint);
    const inputs = exampleInputs({ component: 'vaeDecoder', checkpoint, height: 32, width: 24 });
    const here = await createFakeBackend().open('vaeDecoder', checkpoint);
    const [expected, received] = [await here.run(inputs), await session.run(inputs)];
    expect(received.image?.shape).toEqual([1, 3, 1024, 768]);
    expect(Buffer.compare(await bytesOf(received.image!), await bytesOf(expected.image!))).toBe(0);
    const encoder = await backend.open('vaeEncoder', checkpoint);
    const back = await encoder.run({ image: received.image!, latent_size: inputs.latent_size! });
    expect(back.latents?.shape).toEqual([1, 32, 32, 24]);
  });

  test('an error keeps its class and its fields', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const session = await backend.open('connector', checkpoint);
    const missing = await rejection(session.run({}));
    expect(missing).toBeInstanceOf(BackendError);
    expect(missing).toMatchObject({
      name: 'BackendError',
      code: 'VIBE_BACKEND_FAILED',
      backend: 'fake',
      component: 'connector',
      message: expect.stringContaining('hidden_states'),
      stack: expect.stringContaining('checkInputs'),
    });
    const taps = await rejection(backend.open('connector', checkpoint, { taps: ['nowhere'] }));
    expect(taps).toBeInstanceOf(InvalidArgumentError);
    expect(taps).toMatchObject({ argument: 'taps', received: 'nowhere' });
    const changed = await rejection(backend.open('connector', { ...checkpoint, hash: 'another' }));
    expect(changed).toBeInstanceOf(InvalidCheckpointError);
    expect(changed).toMatchObject({ file: CHECKPOINT_PATH });
  });

  test('a module that is no backend is unavailable', async () => {
    const checkpoint = await tinyCheckpoint();
    for (const module of [new URL('./testdata/not-a-backend.mjs', import.meta.url).href, 'no-such-package']) {
      const backend = createProcessBackend({ name: 'broken', module });
      onTestFinished(() => backend.close());
      const error = await rejection(backend.open('connector', checkpoint));
      expect(error).toBeInstanceOf(BackendUnavailableError);
      expect(error).toMatchObject({ backend: 'broken', message: expect.stringContaining(module) });
    }
  });

  test.each([{ callback: () => {} }, { shared: new SharedArrayBuffer(1) }])(
    'options that cannot cross are refused: %o',
    (options) => {
      expect(() => createProcessBackend({ name: 'odd', module: 'anything', options })).toThrow(InvalidArgumentError);
    },
  );

  test('a child that cannot start is an error that says why', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost({ execArgv: ['--no-such-flag'] });
    for (const _ of [1, 2]) {
      const error = await rejection(backend.open('connector', checkpoint));
      expect(error).toBeInstanceOf(HostCrashedError);
      expect(error).toMatchObject({ exitCode: 9, cause: { message: expect.stringContaining('--no-such-flag') } });
    }
  });
});

describe('aborting', () => {
  test('before the call, and while it waits for its turn', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost();
    const session = await backend.open('connector', checkpoint);
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    expect(await rejection(session.run(inputs, { signal: AbortSignal.abort('no') }))).toMatchObject({ cause: 'no' });
    const { reached } = await plan({ at: 'run connector', blockMs: 300 });
    const first = session.run(inputs);
    await reached;
    const controller = new AbortController();
    const second = rejection(session.run(inputs, { signal: controller.signal }));
    controller.abort();
    expect(await second).toBeInstanceOf(AbortedError);
    expect((await first).prompt_embeds).toBeDefined();
  });

  test('a run that ends soon keeps the process and its sessions', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost();
    const session = await backend.open('connector', checkpoint);
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    const { pid } = backend;
    const { reached } = await plan({ at: 'run connector', blockMs: 400 });
    const controller = new AbortController();
    const aborted = rejection(session.run(inputs, { signal: controller.signal, keep: ['prompt_embeds'] }));
    await reached;
    const start = performance.now();
    controller.abort(new Error('enough'));
    expect(await aborted).toMatchObject({ code: 'VIBE_ABORTED', cause: { message: 'enough' } });
    expect(performance.now() - start).toBeLessThan(100);
    expect((await session.run(inputs)).prompt_embeds).toBeDefined();
    expect(backend.pid).toBe(pid);
  });

  test('a run that goes on for too long costs the process, not the next run', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost({ abortGraceMs: 100 });
    const session = await backend.open('connector', checkpoint);
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    const pid = backend.pid!;
    const { reached } = await plan({ at: 'run connector', blockMs: 60_000 });
    const controller = new AbortController();
    const aborted = rejection(session.run(inputs, { signal: controller.signal }));
    await reached;
    controller.abort();
    const next = session.run(inputs);
    expect(await aborted).toBeInstanceOf(AbortedError);
    expect((await next).prompt_embeds).toBeDefined();
    expect(backend.pid).not.toBe(pid);
    expect(await isAlive(pid)).toBe(false);
  });

  test('while a large tensor is on its way', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const session = await backend.open('vaeEncoder', checkpoint);
    const inputs = exampleInputs({ component: 'vaeEncoder', checkpoint, height: 24, width: 24 });
    const controller = new AbortController();
    const aborted = rejection(session.run(inputs, { signal: controller.signal }));
    setTimeout(() => controller.abort(), 5);
    expect(await aborted).toBeInstanceOf(AbortedError);
    expect((await session.run(inputs)).latents?.shape).toEqual([1, 32, 24, 24]);
  });

  test('while a component is opened', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost();
    const { reached } = await plan({ at: 'open connector', blockMs: 200 });
    const controller = new AbortController();
    const aborted = rejection(backend.open('connector', checkpoint, { signal: controller.signal }));
    await reached;
    controller.abort();
    expect(await aborted).toBeInstanceOf(AbortedError);
    const session = await backend.open('connector', checkpoint);
    expect(session.outputs).toEqual(['prompt_embeds']);
  });
});

describe('closing', () => {
  test('ends the process and what is in flight', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost();
    const session = await backend.open('connector', checkpoint);
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    const pid = backend.pid!;
    const { reached } = await plan({ at: 'run connector', blockMs: 60_000 });
    const running = rejection(session.run(inputs));
    const waiting = rejection(session.run(inputs));
    await reached;
    await Promise.all([backend.close(), backend.close()]);
    expect(await running).toBeInstanceOf(ClosedError);
    expect(await waiting).toBeInstanceOf(ClosedError);
    expect(await isAlive(pid)).toBe(false);
    // Not even a zombie is left.
    expect(await processState(pid)).toBeUndefined();
    expect(backend.pid).toBeUndefined();
    await session.close();
    expect(await rejection(session.run(inputs))).toBeInstanceOf(ClosedError);
    expect(await rejection(backend.open('connector', checkpoint))).toBeInstanceOf(ClosedError);
  });

  test('a session that is closed takes no more runs, those before it end', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost();
    const session = await backend.open('connector', checkpoint);
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    const { reached } = await plan({ at: 'run connector', blockMs: 100 });
    const running = session.run(inputs);
    await reached;
    await Promise.all([session.close(), session.close()]);
    expect((await running).prompt_embeds).toBeDefined();
    expect(await rejection(session.run(inputs))).toBeInstanceOf(ClosedError);
  });

  test('a backend that was never used has nothing to end', async () => {
    const { backend } = await fakeHost();
    await backend.close();
    expect(backend.pid).toBeUndefined();
  });
});

describe('death of the process', () => {
  const stages = COMPONENTS.flatMap((component) => [
    { call: 'open', component },
    { call: 'run', component },
  ]);
  let shared: Awaited<ReturnType<typeof createFakeHost>>;
  beforeAll(async () => {
    shared = await createFakeHost();
  });
  afterAll(() => shared.remove());

  test.each(stages)('in the middle of: $call $component', async ({ call, component }) => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = shared.host;
    const context = await contextFor(component, backend, checkpoint);
    const work = async (): Promise<readonly string[]> => {
      const session = await backend.open(component, checkpoint);
      const outputs = await session.run(exampleInputs({ component, checkpoint, context }));
      return Object.keys(outputs);
    };
    const { reached } = await plan({ at: `${call} ${component}`, blockMs: 60_000 });
    const error = rejection(work());
    await reached;
    process.kill(backend.pid!, 'SIGKILL');
    expect(await error).toBeInstanceOf(HostCrashedError);
    expect(await error).toMatchObject({ code: 'VIBE_HOST_CRASHED', signal: 'SIGKILL', exitCode: null });
    expect(await work()).toEqual(fakeComponent(component, checkpoint, 'edit').outputs);
  });

  test('between two runs costs only the tensors that were kept', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend } = await fakeHost();
    const connector = await backend.open('connector', checkpoint);
    const context = await backend.open('transformerContext', checkpoint);
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    const before = await connector.run(inputs, { keep: ['prompt_embeds'] });
    const pid = backend.pid!;
    process.kill(pid, 'SIGKILL');
    await until(() => backend.pid === undefined);
    expect(await rejection(before.prompt_embeds!.data())).toBeInstanceOf(HostCrashedError);
    expect(await rejection(context.run({ prompt_embeds: before.prompt_embeds! }))).toBeInstanceOf(HostCrashedError);
    before.prompt_embeds!.dispose();
    const after = await connector.run(inputs, { keep: ['prompt_embeds'] });
    expect(Object.keys(await context.run({ prompt_embeds: after.prompt_embeds! })).length).toBe(context.outputs.length);
    expect(backend.pid).not.toBe(pid);
  });

  test('runs that wait for their turn are not lost', async () => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost();
    const session = await backend.open('connector', checkpoint);
    const inputs = exampleInputs({ component: 'connector', checkpoint });
    const { reached } = await plan({ at: 'run connector', blockMs: 60_000 });
    const first = rejection(session.run(inputs));
    const second = session.run(inputs);
    await reached;
    process.kill(backend.pid!, 'SIGKILL');
    expect(await first).toBeInstanceOf(HostCrashedError);
    expect((await second).prompt_embeds).toBeDefined();
  });

  test.each([
    { how: 'a fault in native code', plan: { crash: true }, words: undefined },
    { how: 'an error that nobody catches', plan: { throwLater: true, blockMs: 1 }, words: 'thrown by the backend' },
  ])('by $how', async ({ plan: fault, words }) => {
    const checkpoint = await tinyCheckpoint();
    const { backend, plan } = await fakeHost();
    const session = await backend.open('vaeDecoder', checkpoint);
    const inputs = exampleInputs({ component: 'vaeDecoder', checkpoint, height: 24, width: 24 });
    await plan({ at: 'run vaeDecoder', ...fault });
    const error = await rejection(session.run(inputs));
    expect(error).toBeInstanceOf(HostCrashedError);
    if (words !== undefined) expect(error).toMatchObject({ cause: { message: expect.stringContaining(words) } });
    expect((await session.run(inputs)).image).toBeDefined();
  });
});

/** The transformer's keys and values, as host tensors, which outlive the process. */
async function contextFor(
  component: Component,
  backend: Backend,
  checkpoint: Checkpoint,
): Promise<Record<string, Tensor>> {
  if (component !== 'transformer') return {};
  const session = await backend.open('transformerContext', checkpoint);
  return session.run(exampleInputs({ component: 'transformerContext', checkpoint }));
}

async function bytesOf(tensor: Tensor): Promise<Uint8Array> {
  const { buffer, byteOffset, byteLength } = await tensor.data();
  return new Uint8Array(buffer, byteOffset, byteLength);
}
