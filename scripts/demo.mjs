/** `npm run demo`: sets the clone up, then edits a photo by several instructions and leaves demo.png. */
import { join } from 'node:path';
import { ROOT, run, setUp } from './setup.mjs';

setUp();
process.exitCode = run(process.execPath, [
  '--import',
  'tsx',
  join(ROOT, 'examples', 'demo', 'demo.ts'),
  ...process.argv.slice(2),
]);
