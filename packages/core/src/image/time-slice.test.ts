import { afterEach, expect, test, vi } from 'vitest';
import { AbortedError } from '../errors/index.js';
import { nextTurn, runAtOnce, runInSlices } from './time-slice.js';

afterEach(() => {
  vi.unstubAllGlobals();
});

function* busy(turns: number, milliseconds: number): Generator<void, string> {
  for (let i = 0; i < turns; i++) {
    const end = performance.now() + milliseconds;
    while (performance.now() < end);
    yield;
  }
  return 'done';
}

test.each([
  ['setImmediate', []],
  ['a message channel', ['setImmediate']],
  ['a timer', ['setImmediate', 'MessageChannel']],
])('lets other work happen by %s', async (_, missing) => {
  const order: string[] = [];
  setTimeout(() => order.push('timer'), 0);
  for (const name of missing) vi.stubGlobal(name, undefined);
  expect(await runInSlices(busy(8, 5))).toBe('done');
  order.push('work');
  expect(order).toEqual(['timer', 'work']);
  await nextTurn();
});

test('work that takes one slice only is not interrupted', async () => {
  let turned = false;
  const immediate = setImmediate(() => {
    turned = true;
  });
  await runInSlices(busy(3, 0));
  expect(turned).toBe(false);
  clearImmediate(immediate);
});

test('a signal stops it before and between slices', async () => {
  await expect(runInSlices(busy(1, 0), { signal: AbortSignal.abort() })).rejects.toThrow(AbortedError);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 1);
  await expect(runInSlices(busy(1000, 5), { signal: controller.signal })).rejects.toThrow(AbortedError);
});

test('errors of the work come through', async () => {
  // biome-ignore lint/correctness/useYield: fails before it would yield
  const failing = function* (): Generator<void, never> {
    throw new RangeError('no');
  };
  await expect(runInSlices(failing())).rejects.toThrow(RangeError);
  expect(() => runAtOnce(failing())).toThrow(RangeError);
});
