import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { UsageError } from '../usage-error.js';
import { readSettings, unknownVariables } from './read-settings.js';

let cwd = '';

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'vibe-edit-settings-'));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

const read = (flags: Record<string, unknown> = {}, environment: Record<string, string> = {}) =>
  readSettings({ flags, environment, cwd });

async function refusal(flags: Record<string, unknown>, environment: Record<string, string> = {}): Promise<string> {
  const error = await read(flags, environment).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UsageError);
  return (error as UsageError).message;
}

describe('settings', () => {
  it('are all optional', async () => {
    expect(await read()).toMatchObject({
      host: '127.0.0.1',
      port: 8080,
      concurrency: 1,
      corsOrigins: [],
      playground: true,
    });
  });

  it('come from flags before the environment before the file', async () => {
    await writeFile(
      join(cwd, 'settings.json'),
      JSON.stringify({ port: 1, maxQueued: 1, maxSteps: 1, playground: false }),
    );
    const flags = { config: 'settings.json', port: '3' };
    const environment = {
      VIBE_PORT: '2',
      VIBE_MAX_QUEUED: '2',
      VIBE_CORS_ORIGINS: 'https://a.example, https://b.example',
    };
    expect(await read(flags, environment)).toMatchObject({
      port: 3,
      maxQueued: 2,
      maxSteps: 1,
      playground: false,
      corsOrigins: ['https://a.example', 'https://b.example'],
    });
    expect(await read({}, { VIBE_CONFIG: 'settings.json' })).toMatchObject({ port: 1 });
  });

  it('take an empty variable for none, and a secret from the environment', async () => {
    const secret = 'a secret that is long enough';
    expect(await read({}, { VIBE_PORT: '', VIBE_CALLBACK_SECRET: secret })).toMatchObject({
      port: 8080,
      callbackSecret: secret,
    });
  });

  it('are refused with the place that they came from', async () => {
    expect(await refusal({ port: '99999' })).toBe('--port: Expected a whole number, 0..65535, but received 99999');
    expect(await refusal({}, { VIBE_PORT: 'tcp://10.0.0.1:80' })).toContain('VIBE_PORT: Expected a whole number');
    expect(await refusal({ backend: 'abacus' })).toBe(
      '--backend: Expected one of cpu, webgpu, cuda but received "abacus"',
    );
    expect(await refusal({}, { VIBE_PLAYGROUND: 'maybe' })).toContain('VIBE_PLAYGROUND: Expected true or false');
    expect(await refusal({ publicUrl: 'ftp://x' })).toContain('--public-url: Expected an http:// or https:// URL');
    await writeFile(join(cwd, 'typo.json'), JSON.stringify({ prot: 1 }));
    expect(await refusal({ config: 'typo.json' })).toBe('Expected known settings in typo.json but received prot');
    await writeFile(join(cwd, 'type.json'), JSON.stringify({ port: '80' }));
    expect(await refusal({ config: 'type.json' })).toContain('port in type.json: Expected a whole number');
    await writeFile(join(cwd, 'broken.json'), '{');
    expect(await refusal({ config: 'broken.json' })).toContain('broken.json but it cannot be read');
    await writeFile(join(cwd, 'list.json'), '[]');
    expect(await refusal({ config: 'list.json' })).toContain('Expected an object of settings in list.json');
    expect(await refusal({ config: 'missing.json' })).toContain('missing.json');
  });

  it('keep secrets and passwords out of messages', async () => {
    expect(await refusal({}, { VIBE_CALLBACK_SECRET: 'short-secret' })).not.toContain('short-secret');
    expect(await refusal({ redis: 'http://user:password@host' })).not.toContain('password');
  });

  it('tell variables that look like settings and are none', () => {
    const environment = { VIBE_PORT: '1', VIBE_CONFIG: 'x', VIBE_PROT: '1', PATH: '/bin' };
    expect(unknownVariables(environment)).toEqual(['VIBE_PROT']);
  });
});
