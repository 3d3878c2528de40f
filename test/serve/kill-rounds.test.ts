import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Webhook } from 'standardwebhooks';
import { expect, onTestFinished, test } from 'vitest';
import { hasRedis, startRedis } from '../jobs/redis-server.js';
import {
  becomes,
  picture,
  type RunningCommand,
  resultSize,
  startCommand,
  startServe,
  submit,
  testFolder,
} from './command.js';

/** More by `VIBE_TEST_KILL_ROUNDS`. */
const ROUNDS = Number(process.env.VIBE_TEST_KILL_ROUNDS ?? 2);
const USERS = ['alice', 'bob', 'carol'];
const SECRET = 'a secret of the server that is long enough';

interface Accepted {
  readonly user: string;
  readonly key: string;
  /** No two pictures are of one size, so that it tells whose a result is. */
  readonly size: string;
}

/** Hears callbacks as an application does: checks the signature, counts by id. */
async function startReceiver(secretOf: (user: string) => Promise<string>) {
  const heard = new Map<string, Set<string>>();
  const problems: string[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const user = String(request.url).slice(1);
    try {
      const headers = request.headers as Record<string, string>;
      const message = new Webhook(await secretOf(user)).verify(Buffer.concat(chunks).toString(), headers);
      const { data } = message as { data: { id: string; state: string } };
      if (data.state !== 'succeeded') problems.push(`${data.id} is ${data.state}`);
      const ids = heard.get(data.id) ?? new Set();
      heard.set(data.id, ids.add(String(headers['webhook-id'])));
    } catch (error) {
      problems.push(String(error));
    }
    response.writeHead(204).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, heard, problems };
}

/**
 * Kills a server (and with Redis also a worker) at random moments, while three users submit; lets the last one finish. Every accepted job
 * must succeed with its own user's picture, and its receiver hear of it under one id.
 */
async function killRounds(options: {
  cwd: string;
  environment: Record<string, string>;
  worker: boolean;
}): Promise<void> {
  const { cwd, worker } = options;
  const environment = {
    VIBE_DATA: join(cwd, 'data'),
    VIBE_LEASE_SECONDS: '2',
    VIBE_ALLOWED_ADDRESSES: '127.0.0.1/32',
    VIBE_CALLBACK_SECRET: SECRET,
    VIBE_MAX_PER_USER: '1000',
    ...options.environment,
  };
  const keys = new Map<string, string>();
  const createKey = async (user: string): Promise<void> => {
    const made = startCommand(['keys', 'create', user], { cwd, environment });
    expect(await made.ended).toBe(0);
    keys.set(user, made.stdout.trim());
  };
  await Promise.all(USERS.map(createKey));
  let url = '';
  const secrets = new Map<string, string>();
  const receiver = await startReceiver(async (user) => {
    for (;;) {
      const known = secrets.get(user);
      if (known !== undefined) return known;
      const headers = { authorization: `Bearer ${keys.get(user)}` };
      const answer = await fetch(`${url}/v1/callback-secret`, { headers }).then(
        (response) => response.json(),
        () => ({}),
      );
      if (answer.secret !== undefined) secrets.set(user, answer.secret);
      else await sleep(50);
    }
  });
  const accepted = new Map<string, Accepted>();
  let count = 0;
  const load = async (): Promise<void> => {
    for (;;) {
      const user = USERS[count % USERS.length] as string;
      const key = keys.get(user) as string;
      const width = 48 + count;
      count += 1;
      const fields = { callback_url: `${receiver.url}/${user}` };
      try {
        const id = await submit(url, fields, { key, image: await picture(width, 48) });
        accepted.set(id, { user, key, size: `${width}x48` });
        await sleep(150);
      } catch {
        // The server was killed: what it did not accept it need not keep.
        return;
      }
    }
  };

  for (let round = 0; round < ROUNDS; round += 1) {
    const others: RunningCommand[] = worker ? [startCommand(['worker'], { cwd, environment })] : [];
    const server = await startServe({ cwd, environment }, ...(worker ? ['--concurrency', '0'] : []));
    await Promise.all(others.map((other) => other.logged('working')));
    url = server.url;
    const before = accepted.size;
    const loading = load();
    await expect.poll(() => accepted.size, { timeout: 60_000, interval: 20 }).toBeGreaterThan(before);
    await sleep(randomInt(1000));
    await Promise.all([server, ...others].map((command) => command.end('SIGKILL')));
    await loading;
  }
  const server = await startServe({ cwd, environment });
  url = server.url;
  expect(accepted.size).toBeGreaterThanOrEqual(ROUNDS);
  for (const [id, { key, size }] of accepted) {
    await becomes(url, [id], 'succeeded', key);
    expect(await resultSize(url, id, key)).toBe(size);
    const stranger = [...keys.values()].find((other) => other !== key) as string;
    const answer = await fetch(`${url}/v1/jobs/${id}/result`, { headers: { authorization: `Bearer ${stranger}` } });
    expect(answer.status).toBe(404);
  }
  // A report that a killed server had taken comes when its lease is over.
  await expect
    .poll(() => [...accepted.keys()].filter((id) => !receiver.heard.has(id)), { timeout: 90_000, interval: 100 })
    .toEqual([]);
  for (const ids of receiver.heard.values()) expect(ids.size).toBe(1);
  expect(receiver.problems).toEqual([]);
  console.log(`${ROUNDS} rounds, ${accepted.size} jobs accepted, ${receiver.heard.size} reported`);
}

const timeout = 120_000 + ROUNDS * 30_000;

test('no accepted job is lost when the server is killed at random moments', { timeout }, async () => {
  await killRounds({ cwd: await testFolder(), environment: {}, worker: false });
});

test.skipIf(!hasRedis)('nor when the server and a worker on Redis are', { timeout }, async () => {
  const redis = await startRedis();
  onTestFinished(() => redis.stop());
  await killRounds({ cwd: await testFolder(), environment: { VIBE_REDIS: redis.url }, worker: true });
});
