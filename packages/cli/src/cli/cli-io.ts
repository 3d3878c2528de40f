import type { Readable, Writable } from 'node:stream';

/** A stream that may be a terminal. */
export type TerminalStream<Stream> = Stream & { readonly isTTY?: boolean };

/** What the command line is connected to; the process's own streams, or a test's. */
export interface CliIo {
  readonly stdin: TerminalStream<Readable>;
  readonly stdout: TerminalStream<Writable>;
  readonly stderr: TerminalStream<Writable>;
  /** Folder that relative paths start from. */
  readonly cwd: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** Writes to a stream and waits until it took it. */
export function write(stream: Writable, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, (error) => (error ? reject(error) : resolve()));
  });
}
