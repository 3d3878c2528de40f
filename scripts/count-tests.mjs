/**
 * `node scripts/count-tests.mjs [FAILED_CHECKS]`: prints `N passed, N failed` (and `, N skipped` where there are some) from the report of the last `npm test`. A file of tests that
 * did not load, a report that is not there, and every check that failed beside the tests count as one failure each.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './setup.mjs';

const path = join(ROOT, 'reports', 'vitest.json');
let passed = 0;
let failed = Number(process.argv[2] ?? 0);
let skipped = 0;
if (existsSync(path)) {
  for (const file of JSON.parse(readFileSync(path, 'utf8')).testResults) {
    for (const { status } of file.assertionResults) {
      if (status === 'passed') passed += 1;
      else if (status === 'failed') failed += 1;
      else skipped += 1;
    }
    const blamed = file.assertionResults.some((/** @type {{ status: string }} */ { status }) => status === 'failed');
    if (file.status === 'failed' && !blamed) failed += 1;
  }
} else {
  failed += 1;
}
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;
