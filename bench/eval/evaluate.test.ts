import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { InvalidArgumentError } from 'vibe-edit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';
import { loadSources } from './pictures.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'eval-'));
  await mkdir(join(folder, 'photos'));
  const [width, height] = [64, 48];
  const data = Uint8Array.from({ length: width * height * 3 }, (_, index) => {
    const pixel = Math.floor(index / 3);
    const [x, y] = [(pixel % width) / width, Math.floor(pixel / width) / height];
    return 255 * (0.45 + 0.3 * Math.sin(5 * x + 2 * (index % 3)) + 0.15 * Math.cos(9 * y));
  });
  await sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg()
    .toFile(join(folder, 'photos', 'Waves.JPG'));
  const phrases = {
    families: { warm: { direct: 'make it warmer' }, invert: { direct: 'invert the colors' } },
    unknown: [{ text: 'add a dog' }],
    described: [
      { text: 'green above, black below', above: 'green', below: 'black' },
      { text: 'all red', above: 'red', below: 'red' },
    ],
    'no-scene': [{ text: 'a horse' }, { text: 'a boat' }],
  };
  await writeFile(join(folder, 'phrases.json'), JSON.stringify(phrases));
});

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('the embedded checkpoint on a small picture: data, report and strips', async () => {
  const out = join(folder, 'out');
  const lines: string[] = [];
  const { rows, scenes, settings } = await evaluate({
    checkpoint: undefined,
    photos: [join(folder, 'photos')],
    phrases: join(folder, 'phrases.json'),
    families: ['warm', 'unknown'],
    picturesEach: 2,
    limit: undefined,
    maxSide: 32,
    seeds: [],
    steps: [2],
    guidance: [],
    oracle: true,
    out,
    onProgress: (line) => lines.push(line),
  });
  expect(rows.map(({ instruction }) => instruction)).toEqual([
    'make it warmer',
    'make it warmer',
    'add a dog',
    'add a dog',
  ]);
  for (const row of rows) {
    expect(row.psnr).toBeGreaterThan(5);
    expect(row.seconds).toBeGreaterThan(0);
    const strip = await sharp(join(out, row.strip as string)).metadata();
    // Four pictures where something is asked for, three where nothing is.
    expect(strip.width).toBe(row.kind === 'unknown' ? 3 * 200 + 8 : 4 * 200 + 12);
  }
  // The oracle knows the exact result: all that is left is what the autoencoder and the preservation cost.
  expect(rows[0]?.oracle).toMatchObject({ right: true });
  expect(rows[0]?.oracle?.psnr).toBeGreaterThan(30);
  expect(settings.map(({ name, edits }) => [name, edits])).toEqual([
    ['defaults', 1],
    ['2 steps', 1],
  ]);
  expect(scenes).toEqual([]);
  expect(lines.at(3)).toMatch(/^4 of 4, /);
  expect(JSON.parse(await readFile(join(out, 'results.json'), 'utf8')).rows).toHaveLength(4);
  const report = await readFile(join(out, 'report.html'), 'utf8');
  expect(report).toContain('add a dog');
  expect(await readdir(join(out, 'strips'))).toHaveLength(4);
});

test('pictures from text alone, within a limit', async () => {
  const out = join(folder, 'text');
  const lines: string[] = [];
  const { rows, scenes, settings, summary } = await evaluate({
    checkpoint: undefined,
    photos: [join(folder, 'none')],
    phrases: join(folder, 'phrases.json'),
    families: ['described', 'no-scene'],
    picturesEach: 2,
    limit: 2,
    maxSide: 32,
    seeds: [7],
    steps: [2],
    guidance: [],
    oracle: true,
    out,
    onProgress: (line) => lines.push(line),
  });
  expect([rows, settings]).toEqual([[], []]);
  const [described, strange] = scenes;
  expect(scenes).toHaveLength(2);
  expect(described).toMatchObject({ description: 'green above, black below', wanted: 'green over black' });
  expect(described?.right).toBe(described?.nearest === described?.wanted);
  expect(described?.fidelity?.psnr).toBeGreaterThan(1);
  expect(described?.fidelity?.ssim).toBeLessThan(1);
  // Of what is no scene there is no exact picture: all that counts is the warning.
  expect(strange).toMatchObject({ description: 'a horse', wanted: undefined, fidelity: undefined });
  expect(strange?.right).toBe(strange?.warnings.includes('not-understood'));
  for (const { width, height, seconds, strip, wanted } of scenes) {
    expect(seconds).toBeGreaterThan(0);
    // What came out, 150 pixels high, and the exact picture before it.
    const wide = Math.round((150 * width) / height);
    const expected = { width: wanted === undefined ? wide : 2 * wide + 4, height: 150 };
    expect(await sharp(join(out, strip)).metadata()).toMatchObject(expected);
  }
  expect(summary.goals.map(({ name }) => name)).toEqual(['scenes from text', 'descriptions of no scene reported']);
  expect(summary.scenes.map(({ name, pictures }) => [name, pictures])).toEqual([
    ['described', 1],
    ['no-scene', 1],
  ]);
  expect(lines.at(-1)).toMatch(/^2 of 2, /);
  expect(JSON.parse(await readFile(join(out, 'results.json'), 'utf8')).scenes).toHaveLength(2);
  const report = await readFile(join(out, 'report.html'), 'utf8');
  expect(report).toContain('<b>green above, black below</b>');
  expect(report).not.toContain('Every edit');
});

test.each([
  [
    'a family that nothing is known about',
    { families: ['warm', 'wobble'] },
    /described, family, invert.*received wobble/,
  ],
  ['a folder that is not there', { photos: ['nowhere'] }, /a folder of photos.*nowhere/],
  ['instructions that are not there', { phrases: 'nowhere.json' }, /a JSON file for nowhere\.json/],
  [
    'instructions that are no JSON',
    { phrases: fileURLToPath(import.meta.url) },
    /a JSON file for .*evaluate\.test\.ts/,
  ],
])('%s is refused', async (_, wrong, message) => {
  const options = {
    checkpoint: undefined,
    photos: [join(folder, 'photos')],
    phrases: join(folder, 'phrases.json'),
    families: [],
    picturesEach: 1,
    limit: undefined,
    maxSide: 32,
    seeds: [],
    steps: [],
    guidance: [],
    oracle: false,
    out: join(folder, 'wrong'),
    onProgress: () => undefined,
    ...wrong,
  };
  const refused = expect(evaluate(options)).rejects;
  await refused.toThrow(InvalidArgumentError);
  await refused.toThrow(message);
});

test('a photo that cannot be read is named', async () => {
  const broken = join(folder, 'broken');
  await mkdir(broken);
  await writeFile(join(broken, 'torn.jpg'), 'not a photo');
  await expect(loadSources({ folders: [broken], folder: join(folder, 'sources'), maxSide: 32 })).rejects.toThrow(
    /a picture for .*torn\.jpg/,
  );
});
