/** Packs the packages and checks the tarballs: publint (manifest and files), attw (types as an ESM user resolves them). */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { PACKED_FOLDER, type PackedPackage, packAll, sizeTable } from './pack.ts';
import { ROOT } from './setup.mjs';

async function manifestProblems(tarball: string): Promise<string[]> {
  const bytes = Uint8Array.from(readFileSync(tarball)).buffer;
  const { messages, pkg } = await publint({ pack: { tarball: bytes }, strict: true });
  return messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`);
}

function typeProblems(tarball: string): string[] {
  const attw = join(ROOT, 'node_modules', '@arethetypeswrong', 'cli', 'dist', 'index.js');
  const args = [attw, tarball, '--profile=esm-only', '--format=ascii', '--no-emoji', '--no-color'];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' });
  return status === 0 ? [] : [`attw: ${stdout}${stderr}`];
}

async function problemsOf({ tarball }: PackedPackage): Promise<string[]> {
  return [...(await manifestProblems(tarball)), ...typeProblems(tarball)];
}

const packages = await packAll(PACKED_FOLDER);
console.log(sizeTable(packages));
for (const item of packages) {
  const problems = await problemsOf(item);
  for (const problem of problems) console.error(`${item.name}: ${problem}`);
  console.log(`${item.name}: ${problems.length} problems`);
  if (problems.length > 0) process.exitCode = 1;
}
