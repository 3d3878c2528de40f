import { expect, test } from 'vitest';
import type { SceneRow } from './run-descriptions.ts';
import type { Row } from './run-trials.ts';
import { summarise, totals } from './summary.ts';

function row(values: Partial<Row>): Row {
  return {
    instruction: 'warmer',
    taught: false,
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

test('wordings that were written for training as well are left out of the figure beside', () => {
  const rows = [row({ taught: true }), row({ taught: true }), row({}), row({ right: false }), row({ language: 'de' })];
  const { overall, untaught, goals } = summarise(rows);
  expect([overall.edits, overall.nearest]).toEqual([4, 0.75]);
  expect([untaught.edits, untaught.nearest]).toEqual([2, 0.5]);
  expect(goals.find(({ name }) => name.endsWith('not written for training'))).toMatchObject({ value: 0.5, met: false });
});

test('pictures from text are counted apart, what is no scene by its warning', () => {
  const scene = (values: Partial<SceneRow>): SceneRow => ({
    description: 'red over blue',
    kind: 'described',
    style: 'direct',
    width: 8,
    height: 8,
    wanted: 'red over blue',
    nearest: 'red over blue',
    right: true,
    fidelity: { psnr: 30, ssim: 0.9, deltaE: 4 },
    warnings: [],
    seconds: 1,
    strip: 'strips/text-000.jpg',
    ...values,
  });
  const noScene = (right: boolean): SceneRow =>
    scene({
      kind: 'no-scene',
      wanted: undefined,
      fidelity: undefined,
      right,
      warnings: right ? ['not-understood'] : ['other'],
    });
  const { goals, scenes, sceneStyles } = summarise(
    [],
    [
      scene({}),
      scene({ style: 'short', right: false, fidelity: { psnr: 20, ssim: 0.5, deltaE: 8 }, seconds: 3 }),
      scene({ style: 'short', warnings: ['not-understood'], fidelity: { psnr: 25, ssim: 0.7, deltaE: 6 }, seconds: 2 }),
      noScene(true),
      noScene(false),
    ],
  );
  expect(scenes.map(({ name, pictures }) => [name, pictures])).toEqual([
    ['described', 3],
    ['no-scene', 2],
  ]);
  const [described, strange] = scenes;
  expect(described?.fidelity?.psnr).toBeCloseTo(25);
  expect(described?.fidelity?.ssim).toBeCloseTo(0.7);
  expect(described?.notUnderstood).toBeCloseTo(1 / 3);
  expect(described?.seconds).toBe(2);
  expect(strange).toMatchObject({ right: 0.5, notUnderstood: 0.5, fidelity: undefined });
  expect(sceneStyles.map(({ name, pictures, right }) => [name, pictures, right])).toEqual([
    ['direct', 1, 1],
    ['short', 2, 0.5],
  ]);
  // Nothing is said of edits where there were none.
  expect(goals.map(({ name }) => name)).toEqual(['scenes from text', 'descriptions of no scene reported']);
});
