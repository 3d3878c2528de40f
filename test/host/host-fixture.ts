import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { createProcessBackend, openCheckpoint, type ProcessBackend, type ProcessBackendOptions } from '@vibe-edit/core';
import type { BackendDescription, Checkpoint } from '@vibe-edit/core/runtime';
import { onTestFinished } from 'vitest';

export const CHECKPOINT_PATH = fileURLToPath(new URL('../fixtures/golden/tiny-a/checkpoint', import.meta.url));

let checkpoint: Promise<Checkpoint> | undefined;
export function tinyCheckpoint(): Promise<Checkpoint> {
  checkpoint ??= openCheckpoint(CHECKPOINT_PATH);
  return checkpoint;
}

/** What a call of the fake backend is to do. */
export interface Plan {
  /** `open`, `run` or `close`, and a component. */
  at: string;
  blockMs?: number;
  printed?: string;
  throwLater?: boolean;
  crash?: boolean;
}

export interface FakeHost {
  readonly description: BackendDescription;
  readonly backend: ProcessBackend;
  /** Orders a fault; the promise resolves when the call has begun. */
  plan(plan: Plan): Promise<{ reached: Promise<void> }>;
}

/** A fake backend in a child process, gone at the end of the test. */
export async function fakeHost(options: ProcessBackendOptions = {}): Promise<FakeHost> {
  const { host, remove } = await createFakeHost(options);
  onTestFinished(remove);
  return host;
}

/** A fake backend in a child process, to be removed by the caller. */
export async function createFakeHost(
  options: ProcessBackendOptions = {},
): Promise<{ host: FakeHost; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'vibe-host-'));
  const module = new URL('./testdata/fake-backend.mjs', import.meta.url).href;
  const description = { name: 'fake', module, options: { folder } };
  const backend = createProcessBackend(description, options);
  const host: FakeHost = {
    description,
    backend,
    async plan(plan) {
      await rm(join(folder, 'reached'), { force: true });
      await writeFile(join(folder, 'plan.json'), JSON.stringify(plan));
      return { reached: until(() => existsSync(join(folder, 'reached'))) };
    },
  };
  const remove = async (): Promise<void> => {
    await backend.close();
    await rm(folder, { recursive: true });
  };
  return { host, remove };
}

/** Waits until something holds; fails after 10 s. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error('Expected it to hold within 10 s but it did not');
    await sleep(5);
  }
}

/** Whether a process runs; one that has ended but was not collected does not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return (await processState(pid)) !== 'Z';
}

/** The state of a process, e.g. `S`, or `Z` for a zombie; undefined for one that is gone. */
export async function processState(pid: number): Promise<string | undefined> {
  return (await processField(pid, 'stat'))?.[0];
}

/** Memory of a process that lies in RAM. */
export async function residentBytes(pid: number): Promise<number> {
  return Number(await processField(pid, 'rss')) * 1024;
}

/** What `ps` says; on Linux read where `ps` reads it, since small images come without. */
async function processField(pid: number, field: 'stat' | 'rss'): Promise<string | undefined> {
  if (process.platform !== 'linux') {
    const { stdout } = await promisify(execFile)('ps', ['-o', `${field}=`, '-p', String(pid)]).catch(() => ({
      stdout: '',
    }));
    return stdout.trim() || undefined;
  }
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return new RegExp(`^${field === 'stat' ? 'State' : 'VmRSS'}:\\s*(\\w+)`, 'm').exec(status)?.[1];
}

/** What a promise rejects with. */
export function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => {
      throw new Error('Expected a rejection but the promise resolved');
    },
    (error: unknown) => error,
  );
}
