import { EXIT_CODES } from './exit-codes.js';
import { main } from './main.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs the command line on this process: its arguments, streams and signals. The first signal cancels, the second ends at once. */
export async function runProcess(): Promise<void> {
  const { stdin, stdout, stderr } = process;
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_CODES.cancelled);
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, interrupt);
  // A reader that went away is told of by the write that meets it.
  for (const stream of [stdout, stderr]) stream.on('error', () => {});
  process.exitCode = await main(process.argv.slice(2), {
    stdin,
    stdout,
    stderr,
    cwd: process.cwd(),
    environment: process.env,
    signal: controller.signal,
  });
}
