import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { expect, onTestFinished } from 'vitest';

const COMMAND = fileURLToPath(new URL('../../packages/cli/bin/vibe-edit.js', import.meta.url));

/** A line of the log. */
export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

/** The command line as a process of its own. */
export interface RunningCommand {
  readonly child: ChildProcess;
  readonly log: readonly LogLine[];
  readonly stdout: string;
  readonly stderr: string;
  /** Waits until this was logged; fails when the process ends before. */
  logged(msg: string): Promise<LogLine>;
  /** Resolves with the exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null>;
}

/** A server that listens. */
export interface RunningServer extends RunningCommand {
  /** Without a slash at its end. */
  readonly url: string;
}

/** A folder for a test's data; it goes with the test. */
export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'vibe-edit-serve-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** This process's environment without what would be settings of the command, or what only tests know. */
function ownEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VIBE_')));
}

/** Starts the command line; it ends with the test, however that ends. */
export function startCommand(
  args: readonly string[],
  options: { cwd: string; environment?: Record<string, string> },
): RunningCommand {
  const child = spawn(process.execPath, [COMMAND, ...args], {
    cwd: options.cwd,
    env: { ...ownEnvironment(), ...options.environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  const waiting = new Set<() => void>();
  let stdout = '';
  let stderr = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    stdout += `${line}\n`;
    if (line.startsWith('{"level"')) log.push(JSON.parse(line));
    for (const look of waiting) look();
  });
  child.stderr.on('data', (data) => {
    stderr += data;
  });
  const ended = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once('close', (code, signal) => resolve(signal ?? code));
  });
  const end = (signal: NodeJS.Signals) => {
    child.kill(signal);
    return ended;
  };
  onTestFinished(() => void end('SIGKILL'));
  return {
    child,
    log,
    get stdout() {
      return stdout;
    },
    get stderr() {
      return stderr;
    },
    logged: (msg) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const line = log.find((one) => one.msg === msg);
          if (line === undefined) return;
          waiting.delete(look);
          resolve(line);
        };
        waiting.add(look);
        look();
        void ended.then((code) => reject(new Error(`Ended with ${code} before "${msg}": ${stdout}${stderr}`)));
      }),
    ended,
    end,
  };
}

/** Starts `vibe-edit serve` on a free port, with its data in `cwd`, and waits until it listens. */
export async function startServe(
  options: { cwd: string; environment?: Record<string, string> },
  ...args: string[]
): Promise<RunningServer> {
  const command = startCommand(['serve', '--port', '0', ...args], options);
  const { url } = await command.logged('listening');
  return Object.assign(command, { url: String(url).replace(/\/$/, '') });
}

/** A gradient as PNG; its size tells it from others. */
export async function picture(width = 64, height = 48): Promise<Buffer> {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, at) => (at * 7) % 256);
  return await sharp(data, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
}

export function authorization(key?: string): Record<string, string> {
  return key === undefined ? {} : { authorization: `Bearer ${key}` };
}

/** Submits an edit in few steps; gives the job's id. */
export async function submit(
  url: string,
  fields: Readonly<Record<string, string>> = {},
  options: { key?: string; image?: Uint8Array } = {},
): Promise<string> {
  const body = new FormData();
  const image = options.image ?? (await picture());
  body.append('image', new File([Uint8Array.from(image)], 'photo.png', { type: 'image/png' }));
  for (const [name, value] of Object.entries({ instruction: 'make it warmer', num_inference_steps: '1', ...fields })) {
    body.append(name, value);
  }
  const response = await fetch(`${url}/v1/jobs`, { method: 'POST', body, headers: authorization(options.key) });
  const job = await response.json();
  if (response.status !== 202) throw new Error(`${response.status} ${JSON.stringify(job)}`);
  return job.id;
}

export async function stateOf(url: string, id: string, key?: string): Promise<string> {
  return (await viewOf(url, id, key)).state;
}

async function viewOf(url: string, id: string, key?: string): Promise<{ state: string }> {
  return await (await fetch(`${url}/v1/jobs/${id}`, { headers: authorization(key) })).json();
}

const ENDS: readonly string[] = ['succeeded', 'failed', 'cancelled', 'expired'];

/** Waits until jobs are in a state, with the patience that a busy machine needs; fails at once when they ended otherwise. */
export async function becomes(url: string, ids: readonly string[], state: string, key?: string): Promise<void> {
  for (const id of ids) {
    const reached = async (): Promise<boolean> => {
      const job = await viewOf(url, id, key);
      if (ENDS.includes(job.state) && job.state !== state) throw new Error(`Not ${state}: ${JSON.stringify(job)}`);
      return job.state === state;
    };
    const end = Date.now() + 60_000;
    while (!(await reached())) {
      if (Date.now() > end) throw new Error(`${id} is ${await stateOf(url, id, key)}, not ${state}`);
      await sleep(50);
    }
  }
}

/** Width and height of a job's result. */
export async function resultSize(url: string, id: string, key?: string): Promise<string> {
  const response = await fetch(`${url}/v1/jobs/${id}/result`, { headers: authorization(key) });
  expect(response.status).toBe(200);
  const { width, height } = await sharp(await response.arrayBuffer()).metadata();
  return `${width}x${height}`;
}
