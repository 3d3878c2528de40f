import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Whether `redis-server` is installed; says so when it is not. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;
if (!hasRedis)
  console.warn(
    'No redis-server on this machine: the tests of the queue on Redis are SKIPPED (apt-get install redis-server)',
  );

export interface RedisServer {
  readonly url: string;
  /** Kills it, without warning, and starts it again with what it had written down. */
  restart(options: { afterMs: number }): Promise<void>;
  /** Stops it from answering, with its connections open, until it is stopped for good. */
  pause(): void;
  stop(): void;
}

/**
 * A Redis of the test's own, on another port.
 * @param options.appendOnly Whether it writes down what it is told before it answers, to have it after a restart. Default: nothing is kept.
 */
export async function startRedis({ appendOnly = false }: { appendOnly?: boolean } = {}): Promise<RedisServer> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'vibe-edit-redis-'));
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
  settings.push('--appendonly', appendOnly ? 'yes' : 'no', '--appendfsync', 'always');
  const start = async (): Promise<ChildProcess> => {
    const started = spawn('redis-server', [...settings, '--appendonly', appendOnly ? 'yes' : 'no'], {
      stdio: 'ignore',
    });
    await answers(started, port);
    return started;
  };
  let child = await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    async restart({ afterMs }) {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
      await sleep(afterMs);
      child = await start();
    },
    pause: () => void child.kill('SIGSTOP'),
    stop() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function answers(child: ChildProcess, port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    if (
      spawnSync('redis-cli', ['-p', String(port), 'ping'])
        .stdout?.toString()
        .includes('PONG')
    )
      return;
    await sleep(50);
  }
  throw new Error('redis-server does not answer');
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
