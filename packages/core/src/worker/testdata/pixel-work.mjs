// Functions that the tests of offload.ts run in a thread.
import { threadId } from 'node:worker_threads';

let calls = 0;

/** Inverts the pixels in place and gives them back. */
export function invert(pixels) {
  for (let index = 0; index < pixels.length; index += 1) pixels[index] = 255 - pixels[index];
  return pixels;
}

export function countCalls() {
  calls += 1;
  return { calls, threadId };
}

export async function later(value, milliseconds) {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  return value;
}

export function spin() {
  for (;;);
}

export function fails() {
  throw Object.assign(new RangeError('strip out of range'), { code: 'STRIP' });
}

export function failsOddly() {
  throw 'a string';
}

export function leaves() {
  process.exit(7);
}

export function throwsLater() {
  setTimeout(() => {
    throw new Error('too late');
  }, 5);
  return new Promise(() => {});
}

export function unclonable() {
  return () => 1;
}

export function nested() {
  return { rows: [new Float32Array([1, 2]), new Float32Array([3])], text: Buffer.from('a slice of the pool') };
}

export const notFunction = 1;
