import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { JobEvent, JobQueue } from '@vibe-edit/core';
import { expect } from 'vitest';

const SERVER = fileURLToPath(new URL('testdata/server.mjs', import.meta.url));

/** A queue that several processes open. */
export interface SharedQueue {
  /** What the servers import, and the export that makes the queue. */
  module: string;
  create: string;
  /** Options of the queue. */
  queueOptions: object;
  /** Of the blobs. */
  folder: string;
  /** A queue of the test's own on the same jobs. */
  open(): Promise<JobQueue>;
}

export interface KillRoundsOptions extends SharedQueue {
  rounds: number;
  /** Servers at once; one of them is killed in each round. */
  servers: number;
  /** What happens in each round instead; servers are expected to live through it. */
  outage?(): Promise<void>;
}

export type ServerMode = 'submit' | 'finish' | 'submit-through-outages' | 'finish-through-outages';

export function startServer({ module, create, queueOptions, folder }: SharedQueue, mode: ServerMode): ChildProcess {
  return spawn(process.execPath, [SERVER, module, create, JSON.stringify(queueOptions), folder, mode], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

interface Server {
  readonly child: ChildProcess;
  readonly ready: Promise<void>;
}

/**
 * Kills servers at random moments under load, then lets one finish what was accepted. Checks that every accepted job ended well, once,
 * with its own user's picture, and that nothing was handed out again once it had been settled.
 */
export async function killRounds(options: KillRoundsOptions): Promise<void> {
  const accepted = new Map<string, { user: string; source: string }>();
  const delivered = new Map<string, number>();
  const settled = new Set<string>();
  const problems: string[] = [];
  const hear = (line: string, ready: () => void): void => {
    const [word, id = '', user = '', text = ''] = line.split(' ');
    if (word === 'ready') ready();
    else if (word === 'accepted') accepted.set(id, { user, source: text });
    else if (word === 'settled') settled.add(id);
    else if (word === 'delivered') {
      if (settled.has(id)) problems.push(`${id} was handed out after it was settled`);
      const owner = text.slice('result-for-'.length).split('-').slice(0, 2).join('-');
      if (owner !== user) problems.push(`${id} of ${user} was handed out with ${text}`);
      delivered.set(id, (delivered.get(id) ?? 0) + 1);
    } else problems.push(line);
  };
  const { outage } = options;
  const start = (task: 'submit' | 'finish'): Server => {
    const child = startServer(options, outage === undefined ? task : `${task}-through-outages`);
    child.stderr?.on('data', (data) => problems.push(String(data)));
    const ready = new Promise<void>((resolve, reject) => {
      createInterface({ input: child.stdout as NodeJS.ReadableStream }).on('line', (line) => hear(line, resolve));
      child.once('exit', (code, signal) => {
        if (signal !== 'SIGKILL') problems.push(`A server ended by itself: ${code} ${signal}`);
        reject(new Error(`The server ended: ${problems.join('\n')}`));
      });
    });
    // Looked at by those who wait for it.
    ready.catch(() => {});
    return { child, ready };
  };
  const kill = async ({ child }: Server): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('close', resolve));
    child.kill('SIGKILL');
    await gone;
  };

  const undelivered = (): string[] => [...accepted.keys()].filter((id) => !delivered.has(id));
  /** Waits until servers take jobs again. */
  const newlyAccepted = async (): Promise<void> => {
    const before = accepted.size;
    const end = Date.now() + 60_000;
    while (accepted.size === before && Date.now() < end) await sleep(20);
    expect(accepted.size).toBeGreaterThan(before);
  };

  let servers = Array.from({ length: options.servers }, () => start('submit'));
  try {
    for (let round = 0; round < options.rounds; round += 1) {
      const victim = servers.shift() as Server;
      await victim.ready;
      if (outage !== undefined) await newlyAccepted();
      await sleep(Math.random() * 400);
      if (outage === undefined) await kill(victim);
      else await outage();
      servers.push(outage === undefined ? start('submit') : victim);
    }
    await Promise.all(servers.map(({ ready }) => ready));
    await Promise.all(servers.map(kill));
    expect(accepted.size).toBeGreaterThan(options.rounds);
    servers = [start('finish')];
    await servers[0]?.ready;
    // As long as it gets on with it: a busy machine is no failure.
    for (let before = -1; undelivered().length > 0 && delivered.size > before; ) {
      before = delivered.size;
      const end = Date.now() + 30_000;
      while (undelivered().length > 0 && Date.now() < end) await sleep(50);
    }
    await untilIdle(options);
  } finally {
    await Promise.all(servers.map(kill));
  }
  expect(problems).toEqual([]);
  expect(undelivered()).toEqual([]);
  const queue = await options.open();
  try {
    let again = 0;
    for (const [id, { user }] of accepted) {
      const job = await queue.get(id);
      if (job.attempts > 1) again += 1;
      expect(job).toMatchObject({ id, user, state: 'succeeded' });
      expect(await endsOf(queue, id)).toHaveLength(1);
    }
    // The kills did meet running jobs. A server that lives through an outage may finish what it had begun.
    if (outage === undefined) expect(again).toBeGreaterThan(0);
    const { states } = await queue.stats();
    expect(states).toMatchObject({ queued: 0, running: 0, failed: 0 });
  } finally {
    await queue.close();
  }
}

/** A server may have been killed after a job of its was taken and before it could say so: such jobs run to their end as well. */
async function untilIdle({ open }: SharedQueue): Promise<void> {
  const queue = await open();
  try {
    const end = Date.now() + 30_000;
    for (;;) {
      const { states } = await queue.stats();
      if (states.queued + states.running === 0 || Date.now() > end) return;
      await sleep(50);
    }
  } finally {
    await queue.close();
  }
}

export async function endsOf(queue: JobQueue, id: string): Promise<JobEvent[]> {
  const ends: JobEvent[] = [];
  for await (const event of queue.events(id)) if (event.type === 'finished') ends.push(event);
  return ends;
}
