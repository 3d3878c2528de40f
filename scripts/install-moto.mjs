/**
 * `node scripts/install-moto.mjs`: a server that speaks S3, for the tests of the blob store, in a Python environment of its own under
 * the cache. Prints the path of the program; ends with status 1, saying why, where that does not work.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { CACHE } from './setup.mjs';

const folder = join(CACHE, 'moto');
const programs = join(folder, process.platform === 'win32' ? 'Scripts' : 'bin');
const server = join(programs, process.platform === 'win32' ? 'moto_server.exe' : 'moto_server');

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function step(command, args) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 300_000 });
  if (status === 0) return;
  console.error(`moto could not be installed: ${command}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
  process.exit(1);
}

if (!existsSync(server)) {
  mkdirSync(CACHE, { recursive: true });
  step(process.platform === 'win32' ? 'python' : 'python3', ['-m', 'venv', folder]);
  step(join(programs, 'python'), [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    'moto[server]>=5,<6',
  ]);
}
console.log(server);
