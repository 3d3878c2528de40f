import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from 'vibe-edit';
import { expect, test } from 'vitest';
import { type Phrase, parsePhrases, readPhrases } from './phrases.ts';
import { type Picture, quantised } from './picture.ts';
import { derivedPictures, type Source } from './pictures.ts';
import { planTrials, spread, type Trial } from './plan.ts';
import { Targets } from './targets.ts';

const FILE = fileURLToPath(new URL('phrases.json', import.meta.url));
const UNSEEN = fileURLToPath(new URL('unseen-phrases.json', import.meta.url));

/** Red on the left, gray on the right, shaded. */
function photo(): Picture {
  const side = 24;
  const values = Float32Array.from({ length: 3 * side * side }, (_, index) => {
    const channel = Math.floor(index / (side * side));
    const x = index % side;
    const light = 0.3 + (0.5 * (Math.floor(index / side) % side)) / side;
    return x < side / 2 && channel > 0 ? 0.2 * light : light;
  });
  return quantised({ width: side, height: side, values });
}

function sources(): Source[] {
  const one = photo();
  const plain = ['a', 'b'].map((name) => ({ name, picture: one, forRecolor: false }));
  return [...plain, ...derivedPictures([one])].map((source) => ({ ...source, file: `${source.name}.png` }));
}

function planned(phrases: readonly Phrase[], picturesEach = 1): Trial[] {
  const known = new Map<Source, Targets>();
  const targetsOf = (source: Source): Targets => {
    const targets = known.get(source) ?? new Targets(source.picture);
    known.set(source, targets);
    return targets;
  };
  return planTrials({ phrases, sources: sources(), targetsOf, picturesEach });
}

test('the instructions of the project are read, each family in five languages', async () => {
  const phrases = await readPhrases(FILE);
  const families = phrases.filter(({ kind }) => kind === 'family');
  expect(new Set(families.map(({ group }) => group)).size).toBe(35);
  for (const language of ['en', 'de', 'fr', 'es', 'ru']) {
    expect(new Set(families.filter((one) => one.language === language).map(({ group }) => group)).size).toBe(35);
  }
  expect(new Set(phrases.map(({ text, operations }) => `${text} ${JSON.stringify(operations)}`)).size).toBe(
    phrases.length,
  );
});

test('the unseen instructions are read, each family in English', async () => {
  const phrases = await readPhrases(UNSEEN);
  const count = (kind: Phrase['kind']): number => phrases.filter((one) => one.kind === kind).length;
  expect(new Set(phrases.filter(({ kind }) => kind === 'family').map(({ group }) => group)).size).toBe(35);
  expect([count('family'), count('together'), count('recolor'), count('unknown')]).toEqual([322, 70, 42, 347]);
});

test('no wording stands for two things', async () => {
  const meanings = new Map<string, string>();
  for (const { text, group, operations } of [...(await readPhrases(FILE)), ...(await readPhrases(UNSEEN))]) {
    const meaning = `${group} ${JSON.stringify(operations)}`;
    expect(meanings.get(text.toLowerCase()) ?? meaning, text).toBe(meaning);
    meanings.set(text.toLowerCase(), meaning);
  }
});

test('strengths of a family and translations are tried on one picture', async () => {
  const trials = planned(await readPhrases(FILE));
  const picturesOf = (holds: (phrase: Phrase) => boolean): Set<string> =>
    new Set(trials.filter(({ phrase }) => holds(phrase)).map(({ source }) => source.name));
  expect(picturesOf(({ group, ladder }) => group === 'brighten' && ladder === 0).size).toBe(1);
  expect(
    picturesOf(({ group, ladder, style }) => group === 'cool' && (ladder === 0 || style === 'translated')).size,
  ).toBe(1);
  expect(picturesOf(({ group }) => group === 'cool').size).toBeGreaterThan(2);
});

test('colours are recoloured where they are, and colour is taken from where there is some', async () => {
  const trials = planned(await readPhrases(FILE), 2);
  const red = trials.filter(({ phrase }) => phrase.text === 'make the red things blue');
  expect(red.length).toBeGreaterThan(0);
  for (const { source } of red) expect(new Targets(source.picture).colorShare('red')).toBeGreaterThan(0.02);
  expect(trials.filter(({ phrase, source }) => phrase.group === 'desaturate' && source.name === 'gray')).toEqual([]);
  expect(trials.filter(({ phrase, source }) => phrase.kind !== 'recolor' && source.forRecolor)).toEqual([]);
});

test('a limit takes trials evenly', () => {
  expect(spread([0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 4)).toEqual([0, 2, 5, 7]);
  expect(spread([1, 2], 5)).toEqual([1, 2]);
});

const REFUSED: readonly unknown[] = [
  [],
  { families: { wobble: { direct: 'wobble it' } } },
  { families: { warm: { direct: '' } } },
  { together: [{ text: 'warmer', steps: [] }] },
  { more: [{ text: 'warmer', steps: [['warm', 'huge']] }] },
  { recolor: [{ text: 'red to beige', from: 'red', to: 'beige' }] },
  { unknown: [{ text: 'hm', language: 'xx' }] },
];

test.each(REFUSED.map((value) => ({ value })))('$value is refused', ({ value }) => {
  expect(() => parsePhrases(value, 'mine.json')).toThrow(InvalidArgumentError);
});
