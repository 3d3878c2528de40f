import { spawnSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { longestTurn } from '../../../../test/longest-turn.js';
import { AbortedError } from '../errors/aborted-error.js';
import { ClosedError } from '../errors/closed-error.js';
import { InvalidArgumentError } from '../errors/invalid-argument-error.js';
import { OffloadError } from '../errors/offload-error.js';
import { createOffload, type Offload } from './offload.js';

type PixelWork = typeof import('./testdata/pixel-work.mjs');
const module = new URL('./testdata/pixel-work.mjs', import.meta.url);

const open: Offload<PixelWork>[] = [];
function offloadOf(): Offload<PixelWork> {
  const offload = createOffload<PixelWork>({ module });
  open.push(offload);
  return offload;
}
afterEach(async () => {
  for (const offload of open.splice(0)) await offload.close();
});

/** The error a promise rejects with. */
async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => expect.unreachable(`resolved with ${String(value)}`),
    (error: unknown) => error,
  );
}

describe('createOffload', () => {
  test('moves buffers there and back', async () => {
    const offload = offloadOf();
    const pixels = new Uint8Array([0, 1, 254, 255]);
    const inverted = await offload.run({ name: 'invert', args: [pixels], transfer: [pixels.buffer] });
    expect(pixels.length).toBe(0);
    expect([...inverted]).toEqual([255, 254, 1, 0]);
  });

  test('copies what is not moved, shares what is shared', async () => {
    const offload = offloadOf();
    const copied = new Uint8Array([1, 2, 3]);
    expect([...(await offload.run({ name: 'invert', args: [copied] }))]).toEqual([254, 253, 252]);
    expect([...copied]).toEqual([1, 2, 3]);

    const shared = new Uint8Array(new SharedArrayBuffer(3));
    await offload.run({ name: 'invert', args: [shared] });
    expect([...shared]).toEqual([255, 255, 255]);
  });

  test('gives nested results and slices of a pool', async () => {
    const { rows, text } = await offloadOf().run({ name: 'nested', args: [] });
    expect(rows).toEqual([new Float32Array([1, 2]), new Float32Array([3])]);
    expect(new TextDecoder().decode(text)).toBe('a slice of the pool');
  });

  test('uses one thread for all calls and runs them in order', async () => {
    const offload = offloadOf();
    const order: unknown[] = [];
    const slow = offload.run({ name: 'later', args: [1, 30] }).then((value) => order.push(value));
    const quick = offload.run({ name: 'later', args: [2, 0] }).then((value) => order.push(value));
    await Promise.all([slow, quick]);
    expect(order).toEqual([1, 2]);
    const first = await offload.run({ name: 'countCalls', args: [] });
    const second = await offload.run({ name: 'countCalls', args: [] });
    expect(second).toEqual({ calls: first.calls + 1, threadId: first.threadId });
  });

  test('a function that throws is a typed error and the thread lives on', async () => {
    const offload = offloadOf();
    const before = await offload.run({ name: 'countCalls', args: [] });
    const error = await rejection(offload.run({ name: 'fails', args: [] }));
    expect(error).toBeInstanceOf(OffloadError);
    expect(error).toMatchObject({
      code: 'VIBE_OFFLOAD_FAILED',
      functionName: 'fails',
      module: module.href,
      cause: { name: 'RangeError', message: 'strip out of range', code: 'STRIP' },
    });
    expect(await rejection(offload.run({ name: 'failsOddly', args: [] }))).toMatchObject({
      cause: { message: 'a string' },
    });
    expect(await rejection(offload.run({ name: 'unclonable', args: [] }))).toBeInstanceOf(OffloadError);
    expect((await offload.run({ name: 'countCalls', args: [] })).threadId).toBe(before.threadId);
  });

  test('a thread that dies is a typed error of its call only', async () => {
    const offload = offloadOf();
    const dead = offload.run({ name: 'leaves', args: [] });
    const next = offload.run({ name: 'later', args: ['next', 0] });
    expect(await rejection(dead)).toMatchObject({ code: 'VIBE_OFFLOAD_FAILED', functionName: 'leaves' });
    expect(await next).toBe('next');

    const thrown = await rejection(offload.run({ name: 'throwsLater', args: [] }));
    expect(thrown).toMatchObject({ code: 'VIBE_OFFLOAD_FAILED', cause: { message: 'too late' } });
    expect(await offload.run({ name: 'later', args: ['again', 0] })).toBe('again');
  });

  test('a module that cannot be imported and a missing function are typed errors', async () => {
    const missing = createOffload<PixelWork>({ module: new URL('./testdata/absent.mjs', import.meta.url) });
    open.push(missing);
    expect(await rejection(missing.run({ name: 'invert', args: [new Uint8Array(1)] }))).toMatchObject({
      code: 'VIBE_OFFLOAD_FAILED',
      cause: { code: 'ERR_MODULE_NOT_FOUND' },
    });
    const untyped: Offload<Record<string, () => void>> = createOffload({ module });
    const error = await rejection(untyped.run({ name: 'notFunction', args: [] }));
    await untyped.close();
    expect(error).toMatchObject({ code: 'VIBE_OFFLOAD_FAILED', functionName: 'notFunction' });
  });

  test('an argument that cannot be cloned is a typed error and the next call works', async () => {
    const offload = offloadOf();
    const error = await rejection(offload.run({ name: 'later', args: [() => 1, 0] }));
    expect(error).toBeInstanceOf(InvalidArgumentError);
    expect(await offload.run({ name: 'later', args: [5, 0] })).toBe(5);
  });

  test('abort ends a running call, drops a waiting one, and leaves the offload usable', async () => {
    const offload = offloadOf();
    const running = new AbortController();
    const waiting = new AbortController();
    const spinning = offload.run({ name: 'spin', args: [], signal: running.signal });
    const queued = offload.run({ name: 'later', args: [1, 0], signal: waiting.signal });
    const kept = offload.run({ name: 'later', args: [2, 0] });
    await sleep(50);
    waiting.abort();
    running.abort('enough');
    expect(await rejection(spinning)).toMatchObject({ code: 'VIBE_ABORTED', cause: 'enough' });
    expect(await rejection(queued)).toBeInstanceOf(AbortedError);
    expect(await kept).toBe(2);
    expect(await rejection(offload.run({ name: 'spin', args: [], signal: running.signal }))).toBeInstanceOf(
      AbortedError,
    );
  });

  test('close rejects what runs and waits, and what comes later', async () => {
    const offload = offloadOf();
    const spinning = rejection(offload.run({ name: 'spin', args: [] }));
    const queued = rejection(offload.run({ name: 'later', args: [1, 0] }));
    await offload.close();
    await offload.close();
    expect(await spinning).toBeInstanceOf(ClosedError);
    expect(await queued).toBeInstanceOf(ClosedError);
    expect(await rejection(offload.run({ name: 'later', args: [1, 0] }))).toBeInstanceOf(ClosedError);
  });

  test('a 24-megapixel picture does not hold up the event loop', async () => {
    const offload = offloadOf();
    await offload.run({ name: 'countCalls', args: [] });
    const pixels = new Uint8Array(6000 * 4000 * 3).fill(10);
    const { value: inverted, milliseconds } = await longestTurn(() =>
      offload.run({ name: 'invert', args: [pixels], transfer: [pixels.buffer] }),
    );
    expect(inverted.length).toBe(6000 * 4000 * 3);
    expect(inverted.at(-1)).toBe(245);
    expect(milliseconds).toBeLessThan(50);
  });

  test('an idle thread does not keep the process alive, a call in flight does', () => {
    const script = `
      import { createOffload } from '${new URL('./offload.ts', import.meta.url).href}';
      const offload = createOffload({ module: new URL('${module.href}') });
      console.log(await offload.run({ name: 'later', args: ['answered', 50] }));
    `;
    const child = spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: import.meta.dirname,
      timeout: 20_000,
    });
    expect(child.stderr.toString()).toBe('');
    expect(child.stdout.toString().trim()).toBe('answered');
    expect(child.status).toBe(0);
  });
});
