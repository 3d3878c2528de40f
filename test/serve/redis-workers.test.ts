import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { hasRedis, startRedis } from '../jobs/redis-server.js';
import { testFolder } from './command.js';

const run = promisify(execFile);
const EXAMPLE = fileURLToPath(new URL('../../examples/redis-workers/main.ts', import.meta.url));
const TSX = createRequire(import.meta.url).resolve('tsx/cli');

test.skipIf(!hasRedis)('the example edits on two workers and ends', async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  const cwd = await testFolder();
  const env = { ...process.env, REDIS_URL: redis.url };
  const { stdout, stderr } = await run(process.execPath, [TSX, EXAMPLE], { cwd, env, timeout: 110_000 });
  expect(stderr).toBe('');
  expect(stdout).toContain('make it warmer: succeeded\n  make-it-warmer.png, 451 x 300');
  expect((await readdir(cwd)).sort()).toEqual([
    'black-and-white.png',
    'make-it-cooler.png',
    'make-it-warmer.png',
    'more-contrast.png',
  ]);
});
