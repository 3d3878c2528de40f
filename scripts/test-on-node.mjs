/**
 * `node scripts/test-on-node.mjs VERSION [VITEST ARGUMENTS]`: runs the tests on another version of Node (22, 24, 20.19.0), which npm
 * provides as a package.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { CACHE, fail, run, setUp } from './setup.mjs';

const [version, ...vitestArguments] = process.argv.slice(2);
if (version === undefined || !/^\d+(\.\d+){0,2}$/.test(version)) {
  fail('Expected a version of Node, e.g. node scripts/test-on-node.mjs 22');
}

setUp();
const name = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const folder = join(CACHE, `node-${version}`);
const binary = join(folder, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
if (!existsSync(binary)) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'node-binary', private: true }));
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', `${name}@${version}`];
  if (run('npm', args, { cwd: folder, shell: process.platform === 'win32' }) !== 0)
    fail(`${name}@${version} could not be installed.`);
}
run(binary, ['-p', '"Node " + process.version']);
process.exitCode = run(binary, ['node_modules/vitest/vitest.mjs', 'run', ...vitestArguments], {
  // What the tests start by name runs on that version too.
  env: { ...process.env, PATH: `${dirname(binary)}${delimiter}${process.env.PATH}` },
});
