/**
 * A Python environment with OpenAI's client, made once a machine. What the tests with it need that is not there (Python itself, the
 * package index) is said loudly, and those tests count as skipped.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Exact, so that a new version changes nothing by itself. */
const PACKAGE = 'openai==3.54.0';
const FOLDER = fileURLToPath(new URL(`../../node_modules/.cache/vibe-edit/python-${PACKAGE}`, import.meta.url));

/** Path of a Python that can `import openai`; undefined when there is none and none could be made. */
export async function pythonWithOpenai(): Promise<string | undefined> {
  const python = join(FOLDER, 'bin', 'python');
  if (existsSync(python)) return python;
  // Made aside and moved in whole, so that one that was broken off is never taken for one that works.
  const making = `${FOLDER}.${process.pid}`;
  try {
    await mkdir(dirname(FOLDER), { recursive: true });
    // An index that does not answer must not hold up the tests.
    const timeout = 300_000;
    await run('python3', ['-m', 'venv', making], { timeout });
    const install = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', PACKAGE];
    await run(join(making, 'bin', 'python'), install, { timeout });
    await rename(making, FOLDER);
    return python;
  } catch (error) {
    await rm(making, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message.split('\n', 2).join(' ') : String(error);
    console.warn(`SKIPPED: the tests with OpenAI's Python client, since it could not be installed: ${reason}`);
    return existsSync(python) ? python : undefined;
  }
}
