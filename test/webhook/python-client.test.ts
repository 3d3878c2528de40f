import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createApiKey } from '@vibe-edit/bots/webhook';
import { expect, onTestFinished, test } from 'vitest';
import { installed } from '../installed.js';
import { picture, startServer } from './webhook-fixture.js';

const run = promisify(execFile);
const SCRIPT = fileURLToPath(new URL('testdata/openai_client.py', import.meta.url));
const python = await installed('install-openai.mjs', "the tests with OpenAI's Python client");

test.skipIf(python === undefined)(
  'the Python client edits, masks, generates, streams, and understands the errors',
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vibe-edit-python-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const photo = join(folder, 'photo.png');
    const mask = join(folder, 'mask.png');
    await writeFile(photo, await picture());
    await writeFile(mask, await picture({ alpha: 0 }));
    const { key, record } = createApiKey({ name: 'python' });
    const server = await startServer({ auth: { keys: [record] } });
    const { stdout } = await run(python as string, [SCRIPT, `${server.url}/v1`, key, photo, mask]);
    const seen = JSON.parse(stdout);
    expect(seen).toEqual({
      models: ['vibe-test'],
      edit: { pictures: 2, bytes: [expect.any(Number), expect.any(Number)], size: '64x48', format: 'png', tokens: 0 },
      own: { seed: 5, warnings: ['unknown-parameter'], header: 'unknown-parameter' },
      masked: 'WEBP',
      bytes: 1,
      generate: '64x64',
      stream: ['image_edit.partial_image', 'image_edit.partial_image', 'image_edit.completed'],
      'stream warnings': [],
      'not a picture': ['BadRequestError', 400, 'invalid_image', 'image', true],
      'wrong model': ['NotFoundError', 404, 'model_not_found', 'model', true],
      'wrong key': ['AuthenticationError', 401, 'invalid_api_key', null, true],
    });
  },
);
