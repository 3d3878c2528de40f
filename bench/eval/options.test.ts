import { InvalidArgumentError } from 'vibe-edit';
import { expect, test } from 'vitest';
import { EXAMPLES, readOptions } from './options.ts';

test('nothing asked for: the embedded checkpoint, the example photos, everything', () => {
  expect(readOptions([])).toMatchObject({
    checkpoint: undefined,
    photos: [EXAMPLES],
    families: [],
    picturesEach: 1,
    limit: undefined,
    maxSide: 1024,
    seeds: [7, 1234],
    steps: [1, 2, 4, 8],
    guidance: [2, 4.5],
    oracle: true,
    out: 'reports/eval',
  });
});

test('what is asked for', () => {
  const args = [
    '--photos',
    'a',
    '--photos',
    'b',
    '--families',
    'warm,cool',
    '--limit',
    '60',
    '--seeds',
    '',
    '--no-oracle',
  ];
  expect(readOptions(args)).toMatchObject({
    photos: [EXAMPLES, 'a', 'b'],
    families: ['warm', 'cool'],
    limit: 60,
    seeds: [],
    oracle: false,
  });
});

test('help is nothing to measure', () => {
  expect(readOptions(['--help'])).toBeUndefined();
});

test.each([
  [['--fotos', 'a'], /--help.*--fotos/],
  [['warm'], /--help.*warm/],
  [['--limit', '0'], /a whole number from 1 up for --limit but received 0/],
  [['--max-side', 'big'], /a whole number from 1 up for --max-side but received big/],
  [['--steps', '1,x'], /numbers with commas between them for --steps but received 1,x/],
])('%j is refused', (args, message) => {
  expect(() => readOptions(args)).toThrow(InvalidArgumentError);
  expect(() => readOptions(args)).toThrow(message);
});
