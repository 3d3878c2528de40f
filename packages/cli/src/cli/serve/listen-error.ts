import { VibeError } from '@vibe-edit/core/runtime';

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another program does already',
  EACCES: 'this user may not',
  EADDRNOTAVAIL: 'this machine does not have the address',
  ENOTFOUND: 'the name is not known',
};

/** The server cannot listen where it should. */
export class ListenError extends VibeError {
  readonly host: string;
  readonly port: number;

  constructor(details: { host: string; port: number; cause: unknown }) {
    const { host, port, cause } = details;
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const reason = REASONS[code] ?? (cause instanceof Error ? cause.message : String(cause));
    super('VIBE_LISTEN_FAILED', `Expected to listen on ${host}, port ${port}, but ${reason}`, { cause });
    this.host = host;
    this.port = port;
  }
}
