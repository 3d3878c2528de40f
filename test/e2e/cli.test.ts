import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const COMMAND = join(ROOT, 'packages/cli/bin/vibe-edit.js');
const PHOTO = join(ROOT, 'examples/photos/chelsea.jpg');

let cwd = '';

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'vibe-edit-e2e-'));
});

afterEach(() => rm(cwd, { recursive: true, force: true }));

function start(...args: string[]): ChildProcess {
  // Without NVIDIA's GPUs, where there are any.
  const env = { ...process.env, CUDA_VISIBLE_DEVICES: '' };
  return spawn(process.execPath, [COMMAND, ...args], { cwd, env, stdio: ['pipe', 'pipe', 'pipe'] });
}

async function finish(child: ChildProcess): Promise<{ exitCode: number | null; stdout: Buffer; stderr: string }> {
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([buffer(child.stdout!), text(child.stderr!)]);
  await closed;
  return { exitCode: child.exitCode, stdout, stderr };
}

function run(...args: string[]): ReturnType<typeof finish> {
  const child = start(...args);
  child.stdin?.end();
  return finish(child);
}

/** How much redder than blue a picture is on average. */
async function warmth(picture: string | Buffer): Promise<number> {
  const { channels } = await sharp(picture).stats();
  return (channels[0]?.mean ?? 0) - (channels[2]?.mean ?? 0);
}

describe('the command line', () => {
  it('edits a photo at its own size', async () => {
    const { exitCode, stdout, stderr } = await run('edit', PHOTO, 'make it warmer', '-o', 'out.png');
    expect({ exitCode, stdout: stdout.toString(), stderr }).toEqual({ exitCode: 0, stdout: 'out.png\n', stderr: '' });
    const out = join(cwd, 'out.png');
    const source = await sharp(PHOTO).metadata();
    expect(await sharp(out).metadata()).toMatchObject({ format: 'png', width: source.width, height: source.height });
    expect(await warmth(out)).toBeGreaterThan((await warmth(PHOTO)) + 5);
    expect(await readdir(cwd)).toEqual(['out.png']);
  });

  it('reads standard input, writes standard output, and gives the same picture for a seed', async () => {
    const child = start('edit', '-', 'black and white', '--format', 'png', '--seed', '5');
    child.stdin?.end(await readFile(PHOTO));
    const { exitCode, stdout, stderr } = await finish(child);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(Math.abs(await warmth(stdout))).toBeLessThan(5);

    await run('edit', PHOTO, 'black and white', '--seed', '5', '-o', 'again.png');
    expect(stdout.equals(await readFile(join(cwd, 'again.png')))).toBe(true);
  });

  it('writes instruction and seed into the picture when asked', async () => {
    const { exitCode } = await run('edit', PHOTO, 'make it cooler', '--seed', '11', '--provenance', '-o', 'out.png');
    expect(exitCode).toBe(0);
    expect((await readFile(join(cwd, 'out.png'))).includes('make it cooler')).toBe(true);
  });

  it('prints JSON and tells each failure by its exit code', async () => {
    await writeFile(join(cwd, 'text.jpg'), 'not a picture');
    const { exitCode, stdout } = await run('edit', 'text.jpg', PHOTO, 'sepia', '--json', '-o', 'out/');
    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout.toString())).toMatchObject({
      results: [
        { input: 'text.jpg', error: { code: 'VIBE_INVALID_IMAGE' } },
        { input: PHOTO, images: [{ width: 451 }] },
      ],
    });
    const failures = await Promise.all([
      run('edit', PHOTO),
      run('edit', PHOTO, 'x', '--checkpoint', 'nowhere'),
      run('edit', PHOTO, 'x', '-o', 'missing/out.png'),
    ]);
    expect(failures.map((failure) => failure.exitCode)).toEqual([2, 4, 7]);
    for (const { stderr } of failures) expect(stderr).not.toContain('    at ');
  });

  it('ends soon after Ctrl-C, leaves no file and says so by its exit code', async () => {
    const child = start('edit', PHOTO, 'make it warmer', '--steps', '1000', '-o', 'out.png');
    const result = finish(child);
    await sleep(4000);
    const interrupted = performance.now();
    child.kill('SIGINT');
    const { exitCode, stderr } = await result;
    expect(exitCode).toBe(6);
    expect(stderr).toBe('vibe-edit: The work was cancelled\n');
    expect(performance.now() - interrupted).toBeLessThan(8000);
    expect(await readdir(cwd)).toEqual([]);
  });

  it('inspects the embedded checkpoint', async () => {
    const { exitCode, stdout } = await run('inspect', '--json');
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout.toString());
    expect(report).toMatchObject({ problems: [], compression: 16, defaults: { numInferenceSteps: 1 } });
    expect(report.components.map(({ folder }: { folder: string }) => folder)).toEqual([
      'text_encoder',
      'transformer',
      'vae',
    ]);
  });

  it('finds that the CPU can run the model', async () => {
    const { exitCode, stdout } = await run('doctor');
    expect(stdout.toString()).toMatch(/^ok +backend cpu/m);
    expect(stdout.toString()).toMatch(/^not here +backend cuda +Backend cuda is not available: expected /m);
    expect(exitCode).toBe(0);
  });

  it.each([
    ['edit', PHOTO, 'sepia'],
    ['serve', '--port', '0'],
  ])('%s says why it cannot run on a GPU that is not there', async (...args) => {
    const { exitCode, stderr } = await run(...args, '--backend', 'cuda');
    expect(stderr).toContain('Backend cuda is not available: expected ');
    expect(exitCode).toBe(5);
  });

  it('is there for npx at the root of the repository', async () => {
    const child = spawn('npx', ['--no-install', 'vibe-edit', '--version'], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'ignore'],
      shell: process.platform === 'win32',
    });
    expect(await text(child.stdout)).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
