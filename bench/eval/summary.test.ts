import { expect, test } from 'vitest';
import type { Row } from './run-trials.ts';
import { summarise, totals } from './summary.ts';

function row(values: Partial<Row>): Row {
  return {
    instruction: 'warmer',
    kind: 'family',
    group: 'warm',
    style: 'direct',
    language: 'en',
    strength: 'plain',
    ladder: 0,
    picture: 'a',
    wanted: 'warm',
    right: true,
    nearest: 'warm',
    psnr: 30,
    ssim: 0.9,
    deltaE: 2,
    untouched: false,
    change: 10,
    keptShare: undefined,
    keptLevels: undefined,
    shift: 0,
    sharpness: 1,
    warnings: [],
    seconds: 1,
    oracle: undefined,
    strip: undefined,
    ...values,
  };
}

test('shares, means and medians', () => {
  const some = [
    row({ psnr: 20, seconds: 1 }),
    row({ psnr: 40, seconds: 5, right: false, shift: 3 }),
    row({ psnr: 30, seconds: 2, keptLevels: 2, warnings: ['unchanged'], untouched: true }),
  ];
  expect(totals('some', some)).toMatchObject({ edits: 3, psnr: 30, seconds: 2, keptLevels: 2, shift: 0 });
  expect(totals('some', some).nearest).toBeCloseTo(2 / 3);
  expect(totals('some', some).leftAlone).toBeCloseTo(1 / 3);
});

test('strengths are in order when each changes more than the one before', () => {
  const ladder = (picture: string, changes: readonly number[]): Row[] =>
    ['weak', 'plain', 'strong'].map((strength, index) => row({ picture, strength, change: changes[index] as number }));
  const { ladders, goals } = summarise([...ladder('a', [1, 2, 3]), ...ladder('b', [1, 3, 3]), row({ picture: 'c' })]);
  expect(ladders.map(({ picture, ordered }) => [picture, ordered])).toEqual([
    ['a', true],
    ['b', false],
  ]);
  expect(goals.find(({ name }) => name === 'strengths in order')).toMatchObject({ value: 0.5, met: false });
});

test('a language is compared with English over the same wordings', () => {
  const rows = [
    row({}),
    row({ right: false }),
    row({ style: 'indirect', right: false }),
    row({ language: 'de', style: 'translated' }),
    row({ language: 'de', style: 'translated', right: false }),
  ];
  expect(summarise(rows).goals.find(({ name }) => name === 'de against English')).toMatchObject({
    value: 1,
    met: true,
  });
});

test('an unknown instruction counts when the picture is untouched and a warning says so', () => {
  const unknown = (values: Partial<Row>): Row => row({ kind: 'unknown', group: 'unknown', ...values });
  const rows = [
    row({}),
    unknown({ untouched: true, warnings: ['unchanged'] }),
    unknown({ untouched: true }),
    unknown({ warnings: ['unchanged'] }),
    unknown({}),
  ];
  const goal = summarise(rows).goals.find(({ name }) => name.startsWith('unknown'));
  expect(goal).toMatchObject({ value: 0.25, met: false });
});
