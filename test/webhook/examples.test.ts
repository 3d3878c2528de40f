import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createApiKey } from '@vibe-edit/bots/webhook';
import { expect, onTestFinished, test } from 'vitest';
import { eventually, file, form, json, picture, startServer } from './webhook-fixture.js';

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url));
const TSX = createRequire(import.meta.url).resolve('tsx/cli');

/** Starts an example and gives what it prints; it ends with the test. */
function start(name: string, args: readonly string[], env: Record<string, string> = {}) {
  const child: ChildProcess = spawn(process.execPath, args, {
    cwd: `${EXAMPLES}${name}`,
    env: { ...process.env, PORT: '0', NEXT_TELEMETRY_DISABLED: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: what the example starts itself ends with it.
    detached: true,
  });
  let output = '';
  child.stdout?.on('data', (data) => {
    output += data;
  });
  child.stderr?.on('data', (data) => {
    output += data;
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  onTestFinished(async () => {
    endGroup(child.pid);
    await exited;
  });
  const printed = async (pattern: RegExp): Promise<string> => {
    await eventually(() => output).toMatch(pattern);
    return pattern.exec(output)?.[0] ?? '';
  };
  return { child, exited, printed };
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

/** Submits an edit to a running example and waits for its picture. */
async function edit(base: string, headers: Record<string, string> = {}): Promise<void> {
  const image = file(await picture());
  const body = form({ image, instruction: 'make it warmer', num_inference_steps: '1' });
  const accepted = await fetch(`${base}/v1/jobs`, { method: 'POST', body, headers });
  expect(accepted.status).toBe(202);
  const location = new URL(accepted.headers.get('location') as string, base);
  const state = async () => (await (await fetch(location, { headers })).json()).state;
  await eventually(state).toBe('succeeded');
  const result = await fetch(`${location}/result`, { headers });
  expect(result.headers.get('content-type')).toBe('image/png');
}

test('the API in a Hono application edits, and ends on SIGTERM', async () => {
  const { printed, child, exited } = start('hono-mount', [TSX, 'main.ts']);
  const url = await printed(/http:\/\/localhost:\d+\/pictures/);
  await edit(url);
  expect((await fetch(`${url}/docs`)).status).toBe(200);
  expect(await (await fetch(new URL('/', url))).text()).toContain('/pictures');
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
});

test('the API in an Express application edits for the users whom it knows', async () => {
  const { printed } = start('express', [TSX, 'main.ts']);
  const url = await printed(/http:\/\/localhost:\d+\/pictures/);
  expect((await fetch(`${url}/v1/jobs`)).status).toBe(401);
  await edit(url, { 'x-user': 'alice' });
});

test('the API in a Next route edits', async () => {
  const next = createRequire(`${EXAMPLES}next-route/package.json`).resolve('next/dist/bin/next');
  const { printed } = start('next-route', [next, 'dev', '--hostname', '127.0.0.1']);
  const url = await printed(/http:\/\/127\.0\.0\.1:\d+/);
  await edit(`${url}/api`);
});

test('the receiver of callbacks checks signatures', async () => {
  const { key, record } = createApiKey({ name: 'alice' });
  const server = await startServer({
    auth: { keys: [record] },
    callbacks: { secret: 'a secret of the server that is long enough', pollSeconds: 0.05 },
    fetch: { allowedAddresses: ['127.0.0.1/32', '::1/128'] },
  });
  const CALLBACK_SECRET = server.webhook.callbackSecret('alice') as string;
  const { printed } = start('callback-receiver', [TSX, 'main.ts'], { CALLBACK_SECRET });
  const callback_url = await printed(/http:\/\/localhost:\d+\//);
  const submitted = await server.request('/v1/jobs', {
    ...json({ instruction: 'a boat', size: '64x64', num_inference_steps: 1, callback_url }),
    key,
  });
  const { id } = await submitted.json();
  await printed(new RegExp(`job\\.succeeded ${id}`));
  const forged = {
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(Date.now() / 1000)),
    'webhook-signature': 'v1,AAAA',
  };
  expect((await fetch(callback_url, { method: 'POST', body: '{}', headers: forged })).status).toBe(401);
});
