import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { evaluate } from './evaluate.ts';

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
      { text: 'blue over white', above: 'blue', below: 'white' },
      { text: 'all red', above: 'red', below: 'red' },
      { text: 'green above, black below', above: 'green', below: 'black' },
    ],
    'no-scene': [{ text: 'a horse' }],
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
    families: ['warm', 'unknown', 'no-scene'],
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
  // Of what is no scene there is no exact picture; all that counts is the warning.
  expect(scenes).toHaveLength(1);
  expect(scenes[0]).toMatchObject({ description: 'a horse', kind: 'no-scene', wanted: undefined, fidelity: undefined });
  expect(scenes[0]?.right).toBe(scenes[0]?.warnings.includes('not-understood'));
  expect(lines.at(4)).toMatch(/^5 of 5, /);
  expect(JSON.parse(await readFile(join(out, 'results.json'), 'utf8')).rows).toHaveLength(4);
  const report = await readFile(join(out, 'report.html'), 'utf8');
  for (const text of ['add a dog', 'a horse']) expect(report).toContain(`<b>${text}</b>`);
  expect(await readdir(join(out, 'strips'))).toHaveLength(5);
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
  expect(scenes).toMatchObject([
    { description: 'blue over white', kind: 'described', wanted: 'blue over white' },
    { description: 'green above, black below', wanted: 'green over black' },
  ]);
  for (const { width, height, fidelity, seconds, strip, right, nearest, wanted } of scenes) {
    expect(fidelity?.psnr).toBeGreaterThan(1);
    expect(fidelity?.ssim).toBeLessThan(1);
    expect(seconds).toBeGreaterThan(0);
    expect(right).toBe(nearest === wanted);
    // The exact picture and what came out, each 150 pixels high.
    const { width: wide, height: high } = await sharp(join(out, strip)).metadata();
    expect([wide, high]).toEqual([2 * Math.round((150 * width) / height) + 4, 150]);
  }
  expect(summary.goals.map(({ name }) => name)).toEqual(['scenes from text']);
  expect(summary.scenes.map(({ name, pictures }) => [name, pictures])).toEqual([['described', 2]]);
  expect(lines.at(-1)).toMatch(/^2 of 2, /);
  expect(JSON.parse(await readFile(join(out, 'results.json'), 'utf8')).scenes).toHaveLength(2);
  const report = await readFile(join(out, 'report.html'), 'utf8');
  expect(report).toContain('<b>green above, black below</b>');
  expect(report).not.toContain('Every edit');
});

test('families that nothing is known about are refused', async () => {
  const options = {
    checkpoint: undefined,
    photos: [join(folder, 'photos')],
    phrases: join(folder, 'phrases.json'),
    families: ['wobble'],
    picturesEach: 1,
    limit: undefined,
    maxSide: 32,
    seeds: [],
    steps: [],
    guidance: [],
    oracle: false,
    out: join(folder, 'wobble'),
    onProgress: () => undefined,
  };
  await expect(evaluate(options)).rejects.toMatchObject({ code: 'VIBE_INVALID_ARGUMENT' });
});
