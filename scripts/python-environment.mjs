/** Python environments of the project's own, for programs that tests need. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const ON_WINDOWS = process.platform === 'win32';
const MS_BETWEEN_LOOKS = 500;

/**
 * The path of a program in an environment.
 * @param {string} folder
 * @param {string} name
 */
export function programIn(folder, name) {
  return join(folder, ON_WINDOWS ? 'Scripts' : 'bin', ON_WINDOWS ? `${name}.exe` : name);
}

/**
 * Sees to it that an environment has what pip installs; several processes may ask at once. Where that does not work, says why and makes
 * the status of the process 1; an environment that was not there before is then taken away.
 * @param {object} environment
 * @param {string} environment.what for the message
 * @param {string} environment.folder
 * @param {readonly string[]} environment.wanted arguments of `pip install`
 * @param {number} environment.seconds the most that each step may take
 * @param {() => boolean} environment.isComplete whether it has all
 * @returns {boolean} whether that worked
 */
export function provideEnvironment({ what, folder, wanted, seconds, isComplete }) {
  if (isComplete()) return true;
  mkdirSync(dirname(folder), { recursive: true });
  const unlock = lock(`${folder}.lock`, 2 * seconds);
  const isNew = !existsSync(folder);
  try {
    if (isComplete()) return true;
    runStep(ON_WINDOWS ? 'python' : 'python3', ['-m', 'venv', folder], seconds);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
    runStep(programIn(folder, 'python'), [...pip, ...wanted], seconds);
    return true;
  } catch (error) {
    if (isNew) rmSync(folder, { recursive: true, force: true });
    console.error(`${what} could not be installed: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
    return false;
  } finally {
    unlock();
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} seconds
 */
function runStep(command, args, seconds) {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: seconds * 1000 });
  if (status !== 0) throw new Error(`${command}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
}

/**
 * Waits for a folder that one process at a time can make, and makes it; one that is older than the given seconds was left behind.
 * @param {string} path
 * @param {number} seconds
 * @returns {() => void} takes it away
 */
function lock(path, seconds) {
  for (;;) {
    try {
      mkdirSync(path);
      return () => rmSync(path, { recursive: true, force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - made > seconds * 1000) rmSync(path, { recursive: true, force: true });
    else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, MS_BETWEEN_LOOKS);
  }
}
