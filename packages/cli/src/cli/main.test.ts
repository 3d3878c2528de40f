import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Checkpoint, EditedImage, Editor, EditRequest, EditResult, GenerateRequest } from '@vibe-edit/core';
import {
  AbortedError,
  BackendUnavailableError,
  DownloadError,
  HostCrashedError,
  InvalidCheckpointError,
  InvalidImageError,
  InvalidInstructionError,
} from '@vibe-edit/core/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CliIo } from './cli-io.js';
import { EXIT_CODES } from './exit-codes.js';
import { main } from './main.js';
import type { OpenEditorOptions, Services } from './services.js';

let cwd = '';

beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'vibe-edit-cli-'));
  for (const name of ['a.jpg', 'b.jpg', 'mask.png']) await writeFile(join(cwd, name), name);
});

afterEach(() => rm(cwd, { recursive: true }));

/** An editor whose pictures say how they came about, and what it was asked. */
function fakeServices(behaviour: { edit?: (request: EditRequest) => void; warnings?: EditResult['warnings'] } = {}) {
  const requests: (EditRequest | GenerateRequest)[] = [];
  const opened: OpenEditorOptions[] = [];
  let closed = 0;
  const answer = (request: EditRequest | GenerateRequest): EditResult => {
    requests.push(request);
    if ('image' in request) behaviour.edit?.(request);
    request.onProgress?.({ stage: 'denoise', step: 1, steps: 4 });
    const instructions = [request.instruction].flat();
    const images = instructions.flatMap((instruction) =>
      Array.from({ length: request.numImages ?? 1 }, (_, index): EditedImage => {
        const toBuffer: EditedImage['toBuffer'] = async (format = 'png', { quality } = {}) =>
          Buffer.from(`${instruction} ${index} ${format} ${quality ?? ''}`.trim());
        const raster = { width: 8, height: 4, channels: 3 as const, data: new Uint8Array(96) };
        const unused = () => Promise.reject(new Error('not used by the command line'));
        return { width: 8, height: 4, instruction, raster, toBuffer, toFile: unused, toSharp: unused };
      }),
    );
    const [image] = images;
    if (image === undefined) throw new Error('no instruction');
    const seconds = { queue: 0, prepare: 0, condition: 0, encode: 0, denoise: 1, decode: 0, restore: 0 };
    return {
      images,
      image,
      width: 8,
      height: 4,
      seed: request.seed ?? 42,
      warnings: behaviour.warnings ?? [],
      seconds,
    };
  };
  const services: Services = {
    async openEditor(options) {
      opened.push(options);
      const editor: Editor = {
        checkpoint: {} as Checkpoint,
        edit: async (request) => answer(request),
        generate: async (request) => answer(request),
        async close() {
          closed += 1;
        },
      };
      return editor;
    },
    pullCheckpoint: () => Promise.reject(new Error('no network in this test')),
    describeBackend: async (name) => ({ name, module: 'data:text/javascript,' }),
  };
  return { services, requests, opened, closed: () => closed };
}

/** Runs the command line as a shell without a terminal would. */
async function run(
  argv: readonly string[],
  services: Services = fakeServices().services,
  {
    stdin = '',
    signal = new AbortController().signal,
    tty = false,
  }: { stdin?: string; signal?: AbortSignal; tty?: boolean } = {},
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const stdout = Object.assign(new PassThrough(), tty && { isTTY: true });
  const stderr = new PassThrough();
  const io: CliIo = { stdin: Readable.from([stdin]), stdout, stderr, cwd, environment: { NO_COLOR: '1' }, signal };
  const output = Promise.all([text(stdout), text(stderr)]);
  const exitCode = await main(argv, io, services);
  stdout.end();
  stderr.end();
  const [out, err] = await output;
  return { exitCode, stdout: out, stderr: err };
}

const read = (name: string): Promise<string> => readFile(join(cwd, name), 'utf8');

describe('vibe-edit edit', () => {
  it('edits a picture and prints the path of the result', async () => {
    const { services, requests, opened, closed } = fakeServices();
    const result = await run(['edit', 'a.jpg', 'make it warmer', '-o', 'out.png'], services);
    expect(result).toEqual({ exitCode: 0, stdout: 'out.png\n', stderr: '' });
    expect(await read('out.png')).toBe('make it warmer 0 png');
    expect(requests).toMatchObject([{ image: join(cwd, 'a.jpg'), instruction: ['make it warmer'], numImages: 1 }]);
    expect(opened).toMatchObject([{ backend: 'cpu' }]);
    expect(closed()).toBe(1);
  });

  it('hands every option on', async () => {
    const { services, requests, opened } = fakeServices();
    const options = `--checkpoint ./model --backend webgpu --seed 7 --steps 3 --guidance-scale 2.5 --image-guidance-scale 1.1
      --size 320x200 --count 2 --mask mask.png --preserve tone --geometry reference --provenance`;
    const { exitCode } = await run(['edit', 'a.jpg', 'x', ...options.split(/\s+/)], services);
    expect(exitCode).toBe(0);
    expect(opened).toMatchObject([{ checkpoint: './model', backend: 'webgpu', provenance: true }]);
    expect(requests[0]).toMatchObject({
      seed: 7,
      numInferenceSteps: 3,
      guidanceScale: 2.5,
      imageGuidanceScale: 1.1,
      size: { width: 320, height: 200 },
      numImages: 2,
      mask: join(cwd, 'mask.png'),
      preserve: 'tone',
      geometry: 'reference',
    });
  });

  it('leaves what is not given to the checkpoint', async () => {
    const { services, requests } = fakeServices();
    await run(['edit', 'a.jpg', 'x'], services);
    expect(Object.keys(requests[0] ?? {}).sort()).toEqual([
      'image',
      'instruction',
      'numImages',
      'onProgress',
      'signal',
    ]);
  });

  it('takes several pictures, patterns and instructions', async () => {
    const { services, requests } = fakeServices();
    const { stdout } = await run(['edit', '*.jpg', '-i', 'warmer', '-i', 'cooler', '-o', 'out'], services);
    expect(stdout.split('\n').filter(Boolean)).toEqual([
      join('out', 'a-warmer.jpg'),
      join('out', 'a-cooler.jpg'),
      join('out', 'b-warmer.jpg'),
      join('out', 'b-cooler.jpg'),
    ]);
    expect(requests).toHaveLength(2);
    expect(await read('out/b-cooler.jpg')).toBe('cooler 0 jpeg');
  });

  it('reads standard input and writes standard output', async () => {
    const { services, requests } = fakeServices();
    const result = await run(['edit', '-', 'x', '--format', 'jpeg', '--quality', '80'], services, { stdin: 'bytes' });
    expect(result).toEqual({ exitCode: 0, stdout: 'x 0 jpeg 80', stderr: '' });
    expect(requests[0]).toMatchObject({ image: Buffer.from('bytes') });
  });

  it('prints one JSON document', async () => {
    const { services } = fakeServices({ warnings: [{ code: 'UNCHANGED', message: 'The picture is as it was' }] });
    const { stdout, stderr, exitCode } = await run(
      ['edit', 'a.jpg', 'x', '--json', '--seed', '9', '-o', 'o.webp'],
      services,
    );
    expect(exitCode).toBe(0);
    expect(stderr).toBe('Warning: The picture is as it was\n');
    expect(JSON.parse(stdout)).toEqual({
      results: [
        {
          input: 'a.jpg',
          seed: 9,
          seconds: expect.objectContaining({ denoise: 1 }),
          warnings: [{ code: 'UNCHANGED', message: 'The picture is as it was' }],
          images: [{ path: 'o.webp', instruction: 'x', width: 8, height: 4, format: 'webp' }],
        },
      ],
    });
  });

  it('replaces a file that was named, but no other and no source', async () => {
    await writeFile(join(cwd, 'out.png'), 'old');
    await writeFile(join(cwd, 'a-x.jpg'), 'old');
    expect((await run(['edit', 'a.jpg', 'x', '-o', 'out.png'])).exitCode).toBe(0);
    expect(await read('out.png')).toBe('x 0 png');

    const { services, opened } = fakeServices();
    const refused = await run(['edit', 'a.jpg', 'x'], services);
    expect(refused).toMatchObject({ exitCode: EXIT_CODES.output, stderr: expect.stringContaining('--force') });
    expect(opened).toEqual([]);
    expect(await read('a-x.jpg')).toBe('old');
    expect((await run(['edit', 'a.jpg', 'x', '--force'])).exitCode).toBe(0);
    expect(await read('a-x.jpg')).toBe('x 0 jpeg');

    await symlink('a.jpg', join(cwd, 'link.jpg'));
    for (const output of ['a.jpg', './a.jpg', 'link.jpg']) {
      expect(await run(['edit', 'a.jpg', 'x', '-o', output])).toMatchObject({
        exitCode: EXIT_CODES.output,
        stderr: expect.stringContaining('is the source'),
      });
    }
    expect(await read('a.jpg')).toBe('a.jpg');
    expect((await run(['edit', 'a.jpg', 'x', '-o', 'a.jpg', '--force'])).exitCode).toBe(0);
    expect(await read('a.jpg')).toBe('x 0 jpeg');
  });

  it('leaves nothing behind when a result cannot be written', async () => {
    await mkdir(join(cwd, 'out.png'));
    expect(await run(['edit', 'a.jpg', 'b.jpg', 'x', '-o', 'out.png/'])).toMatchObject({ exitCode: 0 });
    expect((await run(['edit', 'a.jpg', 'x', '-o', 'missing/out.png'])).exitCode).toBe(EXIT_CODES.output);
    expect((await readdir(cwd)).sort()).toEqual(['a.jpg', 'b.jpg', 'mask.png', 'out.png']);
  });

  it('goes on with the other pictures when one cannot be read', async () => {
    const { services, closed } = fakeServices({
      edit({ image }) {
        if (String(image).endsWith('a.jpg')) throw new InvalidImageError({ expected: 'a picture', received: 'a cat' });
      },
    });
    const { exitCode, stdout, stderr } = await run(['edit', 'a.jpg', 'b.jpg', 'x', '--json', '-o', 'out/'], services);
    expect(exitCode).toBe(EXIT_CODES.input);
    expect(stderr).toBe('a.jpg: Expected a picture but received a cat\n');
    expect(JSON.parse(stdout)).toMatchObject({
      results: [
        { input: 'a.jpg', error: { code: 'VIBE_INVALID_IMAGE' } },
        { input: 'b.jpg', images: [{ path: join('out', 'b-x.jpg') }] },
      ],
    });
    expect(closed()).toBe(1);
  });

  it('stops when it is cancelled', async () => {
    const controller = new AbortController();
    const { services, requests, closed } = fakeServices({
      edit() {
        controller.abort();
        throw new AbortedError(controller.signal.reason);
      },
    });
    const { signal } = controller;
    const result = await run(['edit', 'a.jpg', 'b.jpg', 'x', '-o', 'out/'], services, { signal });
    expect(result).toMatchObject({ exitCode: EXIT_CODES.cancelled, stdout: '' });
    expect(requests).toHaveLength(1);
    expect(closed()).toBe(1);
    expect(await readdir(join(cwd, 'out'))).toEqual([]);
  });

  it('shows sizes to a person', async () => {
    const { stdout } = await run(['edit', 'a.jpg', 'x', '-o', 'o.png'], undefined, { tty: true });
    expect(stdout).toMatch(/^o\.png {2}8 x 4, seed 42, \d+\.\d s\n$/);
  });
});

describe('exit codes', () => {
  it.each([
    ['no command', []],
    ['an unknown command', ['frobnicate']],
    ['an unknown option', ['edit', 'a.jpg', 'x', '--frobnicate']],
    ['no arguments', ['edit']],
    ['no instruction', ['edit', 'a.jpg']],
    ['a picture for the instruction', ['edit', 'a.jpg', 'b.jpg']],
    ['a seed out of range', ['edit', 'a.jpg', 'x', '--seed', '9007199254740992']],
    ['a seed that is no number', ['edit', 'a.jpg', 'x', '--seed', '1e3']],
    ['a size that is none', ['edit', 'a.jpg', 'x', '--size', '10x']],
    ['an unknown backend', ['edit', 'a.jpg', 'x', '--backend', 'abacus']],
    ['an unknown way to preserve', ['edit', 'a.jpg', 'x', '--preserve', 'all']],
    ['picture and mask on standard input', ['edit', '-', 'x', '--mask', '-']],
    ['words without quotes', ['generate', 'a', 'red', 'sky']],
    ['a name that is no repository', ['pull', 'model']],
  ])('is usage for %s', async (_, argv) => {
    const { services, opened } = fakeServices();
    const { exitCode, stdout, stderr } = await run(argv, services);
    expect(exitCode).toBe(EXIT_CODES.usage);
    expect(stdout).toBe('');
    expect(stderr).not.toBe('');
    expect(opened).toEqual([]);
  });

  it.each([
    ['input', new InvalidImageError({ expected: 'a picture', received: 'noise' })],
    ['usage', new InvalidInstructionError({ instruction: 'x', expected: 'words', received: 'a token' })],
    ['checkpoint', new InvalidCheckpointError({ file: 'f', expected: 'a', received: 'b' })],
    ['backend', new BackendUnavailableError({ backend: 'cpu', reason: 'none' })],
    ['backend', new HostCrashedError({ exitCode: null, signal: 'SIGKILL' })],
    ['unexpected', new TypeError('x is not a function')],
  ] as const)('is %s for %o', async (reason, error) => {
    const { services } = fakeServices({
      edit() {
        throw error;
      },
    });
    const { exitCode, stderr } = await run(['edit', 'a.jpg', 'x', '-o', 'o.png'], services);
    expect(exitCode).toBe(EXIT_CODES[reason]);
    expect(stderr).toContain(error.message);
    expect(stderr).not.toContain('    at ');
    expect((await run(['edit', 'a.jpg', 'x', '-o', 'o.png', '--debug'], services)).stderr).toContain('    at ');
  });

  it('is input for pictures that are not there or empty', async () => {
    expect((await run(['edit', 'x.jpg', 'warmer'])).exitCode).toBe(EXIT_CODES.input);
    expect((await run(['edit', '*.gif', 'warmer'])).exitCode).toBe(EXIT_CODES.input);
    expect((await run(['edit', 'a.jpg', 'warmer', '--mask', 'x.png'])).exitCode).toBe(EXIT_CODES.input);
    expect((await run(['edit', '-', 'warmer'])).exitCode).toBe(EXIT_CODES.input);
  });

  it('puts what went wrong into the JSON document', async () => {
    for (const argv of [
      ['edit', 'a.jpg', 'x', '-o', '-', '--json'],
      ['edit', 'a.jpg', 'x', '--seed', 'y', '--json'],
    ]) {
      const { exitCode, stdout } = await run(argv);
      expect(exitCode).toBe(EXIT_CODES.usage);
      expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'VIBE_USAGE' } });
    }
    const { stdout } = await run(['edit', 'x.jpg', 'warmer', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      error: { code: 'VIBE_INPUT_UNREADABLE', message: expect.stringContaining('x.jpg') },
    });
  });

  it('all are under 100, and the help names them', async () => {
    expect(Math.max(...Object.values(EXIT_CODES))).toBeLessThan(100);
    const { exitCode, stdout } = await run(['--help']);
    expect(exitCode).toBe(0);
    for (const code of Object.values(EXIT_CODES)) expect(stdout).toMatch(new RegExp(`^  ${code}  \\w`, 'm'));
  });
});

describe('vibe-edit generate', () => {
  it('names the picture after its description', async () => {
    const { services, requests } = fakeServices();
    const result = await run(['generate', 'a red sky', '--size', '64x32', '--count', '2'], services);
    expect(result).toMatchObject({ exitCode: 0, stdout: 'a-red-sky.png\na-red-sky-2.png\n' });
    expect(requests[0]).toMatchObject({ instruction: 'a red sky', size: { width: 64, height: 32 }, numImages: 2 });
  });
});

describe('vibe-edit pull', () => {
  const pulled = {
    repo: 'owner/model',
    revision: 'v1',
    commit: 'c'.repeat(40),
    path: '/cache/snapshot',
    files: 3,
    totalBytes: 2_500_000,
    downloadedBytes: 2_500_000,
  };

  it('prints where the checkpoint lies', async () => {
    let asked: unknown;
    const services: Services = {
      ...fakeServices().services,
      async pullCheckpoint(options) {
        asked = options;
        options.onProgress?.({ type: 'progress', file: 'f', fileBytes: 1, fileSize: 2, bytes: 1, totalBytes: 2 });
        return pulled;
      },
    };
    expect(await run(['pull', 'owner/model@v1'], services)).toEqual({
      exitCode: 0,
      stdout: '/cache/snapshot\n',
      stderr: '',
    });
    expect(asked).toMatchObject({ repo: 'owner/model', revision: 'v1' });
    expect(JSON.parse((await run(['pull', 'owner/model@v1', '--json'], services)).stdout)).toEqual(pulled);
  });

  it('tells a download that failed', async () => {
    const services: Services = {
      ...fakeServices().services,
      pullCheckpoint: () =>
        Promise.reject(new DownloadError({ url: 'https://hub/x', expected: 'a file', received: '404' })),
    };
    expect((await run(['pull', 'owner/model'], services)).exitCode).toBe(EXIT_CODES.download);
  });
});

describe('vibe-edit inspect', () => {
  it('tells what the embedded checkpoint holds', async () => {
    const { exitCode, stdout } = await run(['inspect', '--json']);
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    expect(report).toMatchObject({
      problems: [],
      scheduler: 'DPMSolverMultistepScheduler',
      compression: 16,
      sampleSize: 256,
    });
    expect(
      report.components.map(({ folder, class: name }: { folder: string; class: string }) => [folder, name]),
    ).toEqual([
      ['text_encoder', 'Qwen3VLForConditionalGeneration'],
      ['transformer', 'VIBESanaEditingModel'],
      ['vae', 'AutoencoderDC'],
    ]);
    expect((await run(['inspect'])).stdout).toContain('It can run.');
  });

  it('tells what is wrong with a checkpoint', async () => {
    const { exitCode, stdout } = await run(['inspect', cwd]);
    expect(exitCode).toBe(EXIT_CODES.checkpoint);
    expect(stdout).toContain('model_index.json');
  });
});

describe('vibe-edit doctor', () => {
  it('says why a backend cannot run', async () => {
    const { exitCode, stdout } = await run(['doctor', '--json']);
    expect(exitCode).toBe(EXIT_CODES.backend);
    const { checks }: { checks: { name: string; status: string }[] } = JSON.parse(stdout);
    const status = Object.fromEntries(checks.map((check) => [check.name, check.status]));
    expect(status).toMatchObject({
      node: 'ok',
      pictures: 'ok',
      checkpoint: 'ok',
      'backend cpu': 'failed',
      'backend webgpu': 'unavailable',
      'backend cuda': 'unavailable',
    });
  });

  it('says that a checkpoint is not there', async () => {
    const { stdout } = await run(['doctor', '--checkpoint', join(cwd, 'none')]);
    expect(stdout).toMatch(/^failed {4}checkpoint/m);
  });
});
