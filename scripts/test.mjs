/**
 * `npm test`: sets the clone up, then runs every test. Arguments go to vitest. Leaves reports/vitest.json and
 * reports/junit.xml.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runTool, setUp } from './setup.mjs';

setUp();
const reports = join(ROOT, 'reports');
// A report of an earlier run must not be taken for this one's.
for (const name of ['vitest.json', 'junit.xml']) rmSync(join(reports, name), { force: true });
process.exitCode = runTool('vitest/vitest.mjs', [
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${join(reports, 'vitest.json')}`,
  '--reporter=junit',
  `--outputFile.junit=${join(reports, 'junit.xml')}`,
  ...process.argv.slice(2),
]);
