import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { goldenPath } from '../golden-vectors.js';
import { compareFolders } from './compare-folders.js';
import { Report } from './report.js';

/** The largest difference of floats that counts as agreement with the reference. */
const FLOAT_FLOOR = 1e-4;

test.each([
  ['tiny-a', 250],
  ['tiny-b', 200],
  ['nano', 120],
  ['patch-2', 90],
  ['vectors', 400],
  ['full', 14],
  ['cases', 15],
])(
  '%s: everything recorded from the reference is compared, and nothing differs',
  async (name, least) => {
    const report = new Report({ print: () => {}, floatFloor: FLOAT_FLOOR });
    await compareFolders([fileURLToPath(goldenPath(name))], report);
    expect(report.failures).toEqual([]);
    expect(report.compared).toBeGreaterThanOrEqual(least);
  },
  300_000,
);
