import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const INSTALL = fileURLToPath(new URL('../../scripts/install-moto.mjs', import.meta.url));

export interface MotoServer {
  readonly endpoint: string;
  stop(): void;
}

/** The program, installed if it is not there; undefined, with a word about it, where that does not work. */
export function findMoto(): string | undefined {
  const { status, stdout, stderr } = spawnSync(process.execPath, [INSTALL], { encoding: 'utf8' });
  if (status === 0) return stdout.trim();
  console.warn(`The tests of the blob store on S3 are SKIPPED. ${stderr.trim()}`);
  return undefined;
}

/** Starts it on a port that the system chooses. */
export async function startMoto(program: string): Promise<MotoServer> {
  const child = spawn(program, ['-H', '127.0.0.1', '-p', '0'], { stdio: ['ignore', 'pipe', 'pipe'] });
  const endpoint = await new Promise<string>((resolve, reject) => {
    let said = '';
    const hear = (data: Buffer): void => {
      said += data.toString();
      const url = said.match(/http:\/\/127\.0\.0\.1:\d+/)?.[0];
      if (url !== undefined) resolve(url);
    };
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.once('exit', (code) => reject(new Error(`moto_server ended with ${code}: ${said}`)));
  });
  return { endpoint, stop: () => void child.kill('SIGKILL') };
}
