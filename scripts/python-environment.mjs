/** Python environments of the project's own, for programs that tests need. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const ON_WINDOWS = process.platform === 'win32';

/**
 * The path of a program in an environment.
 * @param {string} folder
 * @param {string} name
 */
export function programIn(folder, name) {
  return join(folder, ON_WINDOWS ? 'Scripts' : 'bin', ON_WINDOWS ? `${name}.exe` : name);
}

/**
 * Makes an environment with what pip installs. Ends the process with status 1, saying why, where that does not work; an environment that
 * was not there before is then taken away.
 * @param {string} what for the message
 * @param {string} folder
 * @param {readonly string[]} wanted arguments of `pip install`
 * @param {number} seconds the most that pip may take
 */
export function makeEnvironment(what, folder, wanted, seconds) {
  const isNew = !existsSync(folder);
  /**
   * @param {string} command
   * @param {readonly string[]} args
   */
  const step = (command, args) => {
    const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: seconds * 1000 });
    if (status === 0) return;
    if (isNew) rmSync(folder, { recursive: true, force: true });
    console.error(`${what} could not be installed: ${command}: ${error?.message ?? stderr.trim().split('\n').at(-1)}`);
    process.exit(1);
  };
  step(ON_WINDOWS ? 'python' : 'python3', ['-m', 'venv', folder]);
  const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--retries', '1'];
  step(programIn(folder, 'python'), [...pip, ...wanted]);
}
