import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/**
 * Path of what a script installs if it is not there; undefined, said loudly, where that does not work.
 * @param script name in `scripts`
 * @param tests what is then skipped
 */
export async function installed(script: string, tests: string): Promise<string | undefined> {
  try {
    const path = fileURLToPath(new URL(`../scripts/${script}`, import.meta.url));
    const { stdout } = await promisify(execFile)(process.execPath, [path]);
    return stdout.trim();
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string };
    console.warn(`SKIPPED: ${tests}. ${stderr.trim() || error}`);
    return undefined;
  }
}
