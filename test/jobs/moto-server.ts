import { spawn } from 'node:child_process';
import { installed } from '../installed.js';

export interface MotoServer {
  readonly endpoint: string;
  stop(): void;
}

/** The program, installed if it is not there; undefined, said loudly, where that does not work. */
export function findMoto(): Promise<string | undefined> {
  return installed('install-moto.mjs', 'the tests of the blob store on S3');
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
