import { fileURLToPath } from 'node:url';
import { InvalidArgumentError } from 'vibe-edit';
import { expect, test } from 'vitest';
import { parseDescriptions, readDescriptions } from './descriptions.ts';
import { SCENE_COLOR_NAMES } from './scene.ts';

test('the descriptions of the project are read, every colour above and below', async () => {
  const descriptions = await readDescriptions(fileURLToPath(new URL('phrases.json', import.meta.url)));
  const scenes = descriptions.flatMap(({ scene }) => scene ?? []);
  expect([scenes.length, descriptions.length]).toEqual([36, 42]);
  expect(new Set(descriptions.map(({ text }) => text.toLowerCase())).size).toBe(42);
  for (const color of SCENE_COLOR_NAMES) {
    expect(scenes.map(({ above }) => above)).toContain(color);
    expect(scenes.map(({ below }) => below)).toContain(color);
  }
  expect(descriptions.find(({ text }) => text === 'blue over white')).toEqual({
    text: 'blue over white',
    kind: 'described',
    style: 'short',
    scene: { above: 'blue', below: 'white' },
  });
  expect(descriptions.at(-1)).toMatchObject({ kind: 'no-scene', style: 'direct', scene: undefined });
});

test('a file without any has none', () => {
  expect(parseDescriptions({ unknown: [] }, 'mine.json')).toEqual([]);
});

const REFUSED: readonly unknown[] = [
  [],
  { described: 'blue over white' },
  { described: [{ text: 'blue over white' }] },
  { described: [{ text: 'blue over beige', above: 'blue', below: 'beige' }] },
  { described: [{ text: ' ', above: 'blue', below: 'white' }] },
  { described: [{ text: 'blue', style: 7, above: 'blue', below: 'blue' }] },
  { 'no-scene': [{}] },
];

test.each(REFUSED.map((value) => ({ value })))('$value is refused', ({ value }) => {
  expect(() => parseDescriptions(value, 'mine.json')).toThrow(InvalidArgumentError);
});
