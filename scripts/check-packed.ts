/**
 * What a new user does: an empty project, the packed tarballs installed by npm, the first TypeScript block of README.md run as it
 * stands, and the command line. The example's picture is put where it looks for it.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { PACKED_FOLDER, packAll } from './pack.ts';
import { fail, ROOT } from './setup.mjs';

const PHOTO = join(ROOT, 'examples', 'photos', 'chelsea.jpg');
const shell = process.platform === 'win32';

/** The README's first TypeScript example that uses the SDK, as the JavaScript that Node runs. */
function readmeExample(): string {
  const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');
  const blocks = [...readme.matchAll(/^```(?:ts|typescript)\n([\s\S]*?)^```/gm)].map((match) => match[1] ?? '');
  const example = blocks.find((code) => code.includes("from 'vibe-edit'"));
  if (example === undefined) fail("Expected a TypeScript example that imports from 'vibe-edit' in README.md");
  return ts.transpileModule(example, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  }).outputText;
}

const packages = await packAll(PACKED_FOLDER);
const project = mkdtempSync(join(tmpdir(), 'vibe-edit-packed-'));

/** Runs a program in the project; ends everything when it fails. */
function step(title: string, command: string, args: readonly string[]): string {
  console.log(`\n> ${title}`);
  const result = spawnSync(command, args, {
    cwd: project,
    encoding: 'utf8',
    shell,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  process.stdout.write(result.stdout);
  if (result.status !== 0) fail(`${title}: exit status ${result.status ?? result.signal}`);
  return result.stdout;
}

function expectFile(name: string): void {
  if (!existsSync(join(project, name))) fail(`Expected ${name} to be written`);
}

try {
  writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'empty', private: true, type: 'module' }));
  step('npm install of the tarballs', 'npm', [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    ...packages.map(({ tarball }) => tarball),
  ]);
  const example = readmeExample();
  const picture = example.match(/image: '([^']+)'/)?.[1];
  if (picture === undefined) fail('Expected the example to name a picture');
  copyFileSync(PHOTO, join(project, picture));
  writeFileSync(join(project, 'example.js'), example);
  step("the README's example", process.execPath, ['example.js']);
  const written = example.match(/toFile\('([^']+)'/)?.[1];
  if (written === undefined) fail('Expected the example to write a picture');
  expectFile(written);
  step('the command line', 'npx', ['--no-install', 'vibe-edit', 'edit', picture, 'make it warmer', '-o', 'warmer.png']);
  expectFile('warmer.png');
  console.log('\nThe tarballs install together; the example and the command line run from them.');
} finally {
  rmSync(project, { recursive: true, force: true });
}
