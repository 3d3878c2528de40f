import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { compareFolders } from './compare-folders.js';
import { Report } from './report.js';

const GOLDEN = fileURLToPath(new URL('../fixtures/golden/', import.meta.url));
const TEN_MINUTES = 600_000;

async function failuresOf(path: string, floatFloor = 1e-4): Promise<{ failures: readonly string[]; compared: number }> {
  const report = new Report({ print: () => {}, floatFloor });
  await compareFolders([path], report);
  return report;
}

test.each(['tiny-a', 'tiny-b', 'nano', 'vectors', 'full'])(
  '%s: everything agrees with the reference',
  { timeout: TEN_MINUTES },
  async (name) => {
    const { failures, compared } = await failuresOf(join(GOLDEN, name));
    expect(failures).toEqual([]);
    expect(compared).toBeGreaterThan(10);
  },
);

test('a changed number and a file too many are each reported, and nothing else', {
  timeout: TEN_MINUTES,
}, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vibe-edit-parity-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  await cp(join(GOLDEN, 'vectors'), folder, { recursive: true });
  const bins = JSON.parse(await readFile(join(folder, 'bins.json'), 'utf8'));
  bins.tables['512']['1.0'] = [512, 544];
  await writeFile(join(folder, 'bins.json'), JSON.stringify(bins));
  await writeFile(join(folder, 'extra.bin'), 'x');
  const { failures } = await failuresOf(folder);
  expect(failures.some((name) => name === 'bins 512')).toBe(true);
  expect(failures.some((name) => name.includes('extra.bin'))).toBe(true);
  expect(failures.every((name) => name.includes('bins 512') || name.includes('extra.bin'))).toBe(true);
});

test('the tolerance is the floats’, never the integers’', { timeout: TEN_MINUTES }, async () => {
  const { failures } = await failuresOf(join(GOLDEN, 'vectors'), 0);
  // Exact in integers; some floats of the schedulers differ in their last bits.
  expect(failures.length).toBeGreaterThan(0);
  expect(failures.every((name) => /results$|resize|randn|shape|sequence|generators/.test(name))).toBe(true);
});
