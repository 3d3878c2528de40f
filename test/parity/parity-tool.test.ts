import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { goldenPath } from '../golden-vectors.js';
import { compareFolders } from './compare-folders.js';
import { addTo, editJson, editTensors } from './golden-edits.js';
import { Report } from './report.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vibe-edit-parity-tool-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

async function copyGolden(name: string, target: string): Promise<string> {
  const path = join(folder, target);
  await cp(fileURLToPath(goldenPath(name)), path, { recursive: true });
  return path;
}

/** What the tool reports as over, and the lines it printed. */
async function failuresOf(path: string, floatFloor = 1e-4): Promise<{ failures: string[]; lines: string[] }> {
  const lines: string[] = [];
  const report = new Report({ print: (line) => lines.push(line), floatFloor });
  await compareFolders([path], report);
  return { failures: report.failures, lines };
}

describe('a case', () => {
  interface Runs {
    runs: { name: string; bin: number[]; steps: number; files?: string[] }[];
  }

  test('whatever was changed, added or taken away is reported, and nothing else', async () => {
    const path = await copyGolden('patch-2', 'case');
    const edit = join(path, 'runs/edit');
    await editTensors(join(edit, 'tensors.safetensors'), (tensors) => {
      addTo(tensors, 'step.0.latents', 2e-3);
      addTo(tensors, 'input_ids', 1);
      addTo(tensors, 'prompt_embeds', Number.NaN);
      tensors.set('surplus', { dtype: 'F32', shape: [1], bytes: Buffer.alloc(4) });
    });
    await editTensors(join(edit, 'trace.safetensors'), (tensors) => addTo(tensors, 'transformer.norm_out', 1));
    const { data, info } = await sharp(join(edit, 'pipeline-0.png')).raw().toBuffer({ resolveWithObject: true });
    data[7] = (data[7] as number) ^ 64;
    const { width, height, channels } = info;
    const picture = sharp(data, { raw: { width, height, channels } });
    await rm(join(edit, 'pipeline-0.png'));
    await picture.png().toFile(join(edit, 'pipeline-0.png'));
    await writeFile(join(edit, 'notes.txt'), 'not compared');
    await mkdir(join(path, 'runs/ghost'));
    await cp(join(path, 'runs/t2i/tensors.safetensors'), join(path, 'runs/ghost/tensors.safetensors'));
    await rm(join(path, 'runs/t2i/pipeline-0.png'));
    await editJson<Runs>(join(path, 'runs.json'), ({ runs }) => {
      const [first, second] = runs as [Runs['runs'][number], Runs['runs'][number]];
      first.bin = [256, 1024];
      runs.push({ ...second, name: 'nowhere', files: ['tensors.safetensors'] });
    });

    const { failures, lines } = await failuresOf(path);
    expect(failures.toSorted()).toEqual([
      'patch-2, run nowhere',
      'patch-2, run t2i',
      'runs/edit input_ids',
      'runs/edit pipeline-0.png',
      'runs/edit prompt_embeds',
      'runs/edit runs.json bin',
      'runs/edit step.0.latents',
      expect.stringMatching(/^runs\/edit trace transformer\.norm_out\[/),
      'runs/edit/notes.txt',
      'runs/edit/tensors.safetensors: surplus',
      'runs/ghost/tensors.safetensors',
    ]);
    const line = (name: string): string | undefined => lines.find((each) => each.includes(`  ${name}  `));
    expect(line('runs/edit step.0.latents')).toMatch(/^ {2}BAD .* max 2\.00e-3 {2}tolerance 1\.00e-4$/);
    expect(line('runs/edit input_ids')).toMatch(/BAD .* tolerance 0$/);
    expect(line('runs/edit prompt_embeds')).toMatch(/BAD .* max Infinity/);
    expect(line('runs/edit pipeline-0.png')).toMatch(/BAD .* max 6\d levels/);
    expect(line('runs/edit/notes.txt')).toMatch(/was not compared/);
  }, 120_000);

  test('a checkpoint that cannot be read is a failure of the case', async () => {
    const path = await copyGolden('patch-2', 'case');
    await rm(join(path, 'checkpoint/vae/config.json'));
    const { failures } = await failuresOf(path);
    expect(failures).toEqual([path]);
  });
});

describe('a folder of folders', () => {
  test('one that fails does not keep the others from being compared, and no file is passed over', async () => {
    const good = await copyGolden('full', 'golden/full');
    const broken = join(folder, 'golden/broken');
    await mkdir(broken);
    await writeFile(join(broken, 'runs.json'), '{');
    await mkdir(join(folder, 'golden/empty'));
    await writeFile(join(folder, 'golden/README.md'), 'what this is');
    await writeFile(join(folder, 'golden/extra.safetensors'), '');
    const { failures, lines } = await failuresOf(join(folder, 'golden'));
    const expected = ['broken', 'empty', 'extra.safetensors'].map((name) => join(folder, 'golden', name));
    expect(failures.toSorted()).toEqual(expected);
    expect(lines).toContain(`\n${good}`);
    expect(lines.filter((line) => line.startsWith('  ok  totals.json')).length).toBeGreaterThan(5);
  });

  test('a manifest with a tensor of another shape or a count of its own is reported', async () => {
    const path = await copyGolden('full', 'full');
    await editJson<Record<string, number>>(join(path, 'totals.json'), (totals) => {
      totals['vae.encoder'] = 1;
      totals['of something new'] = 2;
    });
    expect((await failuresOf(path)).failures).toEqual(['totals.json vae.encoder', 'totals.json: of something new']);
    await editJson<{ caption_channels: number }>(join(path, 'transformer/config.json'), (config) => {
      config.caption_channels = 2305;
    });
    const { failures, lines } = await failuresOf(path);
    expect(failures).toEqual([path]);
    expect(lines.join('\n')).toMatch(/Expected shape \[2305, 2048\] .* received \[2304, 2048\]/);
  });
});

describe('the command', () => {
  /** Runs it in a process of its own. */
  function parity(...args: string[]): Promise<{ code: number; output: string }> {
    const command = ['--import', 'tsx', 'test/parity/cli.ts', ...args];
    return new Promise((resolve) => {
      execFile(process.execPath, command, { cwd: root }, (error, stdout, stderr) => {
        resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: stdout + stderr });
      });
    });
  }

  async function schedulers(name: string): Promise<string> {
    const path = join(folder, name);
    await mkdir(path);
    for (const file of ['scheduler.json', 'scheduler.safetensors']) {
      await cp(goldenPath(`vectors/${file}`), join(path, file));
    }
    return path;
  }

  test('tolerance is for floats: whole numbers must be equal', async () => {
    const path = await schedulers('floats');
    const file = join(path, 'scheduler.safetensors');
    await editTensors(file, (tensors) => addTo(tensors, 'order-3/steps=5/results', 0.5));
    const strict = await parity(path);
    expect(strict.code).toBe(1);
    expect(strict.output).toMatch(/BAD {2}order-3\/steps=5\/results {2}max 5\.\d+e-1 {2}tolerance 1\.00e-4/);
    expect(strict.output).toMatch(/\d+ compared, 1 over\n {2}order-3\/steps=5\/results/);
    const loose = await parity(path, '--tolerance', '1');
    expect(loose.output).toMatch(/\d+ compared, 0 over/);
    expect(loose.code).toBe(0);
    await editTensors(file, (tensors) => addTo(tensors, 'order-3/steps=5/timesteps', 1));
    const whole = await parity('--tolerance', '1', path);
    expect(whole.code).toBe(1);
    expect(whole.output).toMatch(/\d+ compared, 1 over\n {2}order-3\/steps=5\/timesteps/);
  }, 60_000);

  test.each([[[]], [['somewhere', '--tolerance', 'much']], [['--other']]])(
    '%j is answered by how to call it',
    async (args) => {
      const { code, output } = await parity(...args);
      expect(code).toBe(2);
      expect(output).toMatch(/pnpm parity DIR/);
    },
    60_000,
  );

  test('a folder that is not there is a failure', async () => {
    const { code, output } = await parity(join(folder, 'nothing'));
    expect(code).toBe(1);
    expect(output).toMatch(/ENOENT/);
  }, 60_000);
});
