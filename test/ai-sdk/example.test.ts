import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { startServer } from '../webhook/webhook-fixture.js';

const MAIN = fileURLToPath(new URL('../../examples/ai-sdk/main.ts', import.meta.url));
const TSX = createRequire(MAIN).resolve('tsx/cli');

/** Runs the example in a folder of its own and gives the size of the picture that it writes. */
async function runExample(env: Record<string, string>) {
  const cwd = await mkdtemp(join(tmpdir(), 'vibe-edit-ai-sdk-'));
  onTestFinished(() => rm(cwd, { recursive: true }));
  await promisify(execFile)(process.execPath, [TSX, MAIN], { cwd, env: { ...process.env, ...env } });
  const { format, width, height } = await sharp(await readFile(join(cwd, 'warmer.png'))).metadata();
  return { format, width, height };
}

test('the example edits in its own process, with the checkpoint that comes along', async () => {
  expect(await runExample({})).toEqual({ format: 'png', width: 451, height: 300 });
});

test('the example edits on a server', async () => {
  const { url } = await startServer();
  expect(await runExample({ VIBE_SERVER: `${url}/v1` })).toEqual({ format: 'png', width: 451, height: 300 });
});
