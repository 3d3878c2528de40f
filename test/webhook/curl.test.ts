import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createApiKey } from '@vibe-edit/bots/webhook';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import { picture, startServer } from './webhook-fixture.js';

const run = promisify(execFile);

function installed(): boolean {
  try {
    execFileSync('curl', ['--version']);
    return true;
  } catch {
    console.warn('SKIPPED: the test with curl, which is not installed');
    return false;
  }
}

test.skipIf(!installed())('curl uploads, follows the events, downloads the result, and is refused early', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vibe-edit-curl-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const path = (name: string) => join(folder, name);
  await writeFile(path('photo.jpg'), await picture({ width: 96, height: 64, format: 'jpeg' }));
  await writeFile(path('huge.bin'), Buffer.alloc(100_000_000));
  const { key, record } = createApiKey({ name: 'curl' });
  const server = await startServer({ auth: { keys: [record] } });
  const curl = async (...args: string[]) =>
    (await run('curl', ['-sS', '-H', `Authorization: Bearer ${key}`, ...args])).stdout;
  const jobs = `${server.url}/v1/jobs`;

  const form = ['-F', `image=@${path('photo.jpg')}`, '-F', 'instruction=make it warmer', '-F', 'num_inference_steps=2'];
  const job = JSON.parse(await curl(jobs, ...form));
  const events = await curl('-N', server.url + job.links.events);
  expect(events).toMatch(/^: ok\n\nevent: queued\nid: 1\ndata: \{/);
  expect(events).toContain('event: finished\n');
  await curl('-f', '-o', path('result.png'), server.url + job.links.result);
  expect(await sharp(await readFile(path('result.png'))).metadata()).toMatchObject({
    width: 96,
    height: 64,
    format: 'png',
  });

  // With the size in front the server refuses before a byte is sent; in pieces it stops reading on the way.
  for (const pieces of [[], ['-H', 'Transfer-Encoding: chunked']]) {
    const args = ['-w', '\n%{http_code}', '-F', 'instruction=x', '-F', `image=@${path('huge.bin')}`, ...pieces, jobs];
    const { stdout } = await run('curl', ['-sS', '-H', `Authorization: Bearer ${key}`, ...args]).catch(
      (error) => error,
    );
    expect(stdout).toMatch(/(body|file)_too_large[\s\S]*\n413$/);
  }
});
