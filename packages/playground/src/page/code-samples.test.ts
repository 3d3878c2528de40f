import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { cliSample, curlSample, type SampleOptions, sdkSample } from './code-samples.js';

const NONE = {
  seed: undefined,
  steps: undefined,
  guidanceScale: undefined,
  imageGuidanceScale: undefined,
  preserve: undefined,
};
const HOSTILE = `don't; $(touch x) \`id\` "quoted" \\ back\nline`;

function options(changes: Partial<SampleOptions> = {}): SampleOptions {
  return {
    steps: [{ instruction: 'make it warmer', settings: { ...NONE, seed: 7 } }],
    file: 'my photo.jpg',
    base: 'http://localhost:8080/',
    withKey: false,
    checkpoint: undefined,
    ...changes,
  };
}

test('TypeScript', () => {
  expect(sdkSample(options())).toBe(`import { createEditor } from 'vibe-edit';

const editor = await createEditor();
const result1 = await editor.edit({
  image: 'my photo.jpg',
  instruction: 'make it warmer',
  seed: 7,
});
await result1.image.toFile('edited.png');
await editor.close();`);
});

test('a chain goes on from each result', () => {
  const steps = [
    { instruction: 'gray', settings: NONE },
    { instruction: 'warmer', settings: { ...NONE, preserve: 'off' as const } },
  ];
  expect(sdkSample(options({ steps }))).toContain(
    "image: await result1.image.toBuffer(),\n  instruction: 'warmer',\n  preserve: 'off',",
  );
  expect(cliSample(options({ steps })).split('\n')).toEqual([
    "npx vibe-edit edit 'my photo.jpg' --instruction gray -o step-1.png",
    'npx vibe-edit edit step-1.png --instruction warmer --preserve off -o edited.png',
  ]);
  expect(curlSample(options({ steps }))).toContain('image=@step-1.png');
});

test('whatever an instruction says, it is one word for the shell and one string for TypeScript', () => {
  const steps = [{ instruction: HOSTILE, settings: NONE }];
  const asWords = (code: string, program: string): string[] =>
    execFileSync('sh', ['-c', code.replace(program, 'printf "%s\\0"')], { encoding: 'utf8' }).split('\0');
  expect(asWords(cliSample(options({ steps })), 'npx vibe-edit')).toContain(HOSTILE);
  const [curl = ''] = curlSample(options({ steps })).split(' \\\n  | jq');
  expect(asWords(curl, 'curl')).toContain(`prompt=${HOSTILE}`);
  const literal = /instruction: ('.*'),$/m.exec(sdkSample(options({ steps })))?.[1] as string;
  expect(new Function(`return ${literal}`)()).toBe(HOSTILE);
});

test('curl sends a file of any name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vibe-edit-samples-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const received: string[] = [];
  const server = createServer(async (request, response) => {
    const form = await new Response(Readable.toWeb(request) as ReadableStream, {
      headers: { 'content-type': request.headers['content-type'] as string },
    }).formData();
    received.push(await (form.get('image') as File).text());
    response.end('{"data":[{"b64_json":""}]}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const names = ['a;type=text.jpg', 'a, b.jpg', 'a"b\\c.jpg', "it's.jpg", '-o.jpg'];
  for (const file of names) {
    await writeFile(join(folder, file), file);
    const [curl = ''] = curlSample(options({ file, base })).split(' \\\n  | jq');
    await promisify(execFile)('sh', ['-c', curl], { cwd: folder });
  }
  expect(received).toEqual(names);
});

test('the key is asked of the environment, and another checkpoint is named', () => {
  expect(curlSample(options({ withKey: true }))).toContain('-H "Authorization: Bearer $VIBE_EDIT_API_KEY"');
  expect(cliSample(options({ checkpoint: 'owner/model' }))).toContain('--checkpoint owner/model');
  expect(sdkSample(options({ checkpoint: 'owner/model' }))).toContain("createEditor({ checkpoint: 'owner/model' })");
});
