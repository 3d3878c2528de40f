import { expect, test } from 'vitest';
import { pythonStrip } from './python-strip.js';

// str.isspace of CPython 3.12 over all of Unicode.
const SPACES = [
  ...[0x9, 0xa, 0xb, 0xc, 0xd, 0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x85, 0xa0, 0x1680],
  ...Array.from({ length: 11 }, (_, i) => 0x2000 + i),
  ...[0x2028, 0x2029, 0x202f, 0x205f, 0x3000],
];

test('strips what Python takes for white space, and nothing else', () => {
  const stripped: number[] = [];
  for (let code = 0; code < 0x10000; code++) {
    const character = String.fromCharCode(code);
    if (pythonStrip(`${character}a${character}`) === 'a') stripped.push(code);
  }
  expect(stripped).toEqual(SPACES);
});

test('keeps white space inside', () => {
  expect(pythonStrip('\u3000 a \u0085 b\n')).toBe('a \u0085 b');
  expect(pythonStrip(' \n ')).toBe('');
});

test('takes no longer for white space inside a long text', () => {
  const text = `a${' '.repeat(200_000)}b`;
  const start = performance.now();
  expect(pythonStrip(text)).toBe(text);
  expect(performance.now() - start).toBeLessThan(1000);
});
