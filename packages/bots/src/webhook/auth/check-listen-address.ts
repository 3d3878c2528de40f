import { InvalidArgumentError } from '@vibe-edit/core';
import ipaddr from 'ipaddr.js';

/** Whether a server that listens on this host name or address can only be reached from the machine itself. */
export function isLoopbackHost(host: string): boolean {
  const name = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (name === 'localhost' || name.endsWith('.localhost')) return true;
  return ipaddr.isValid(name) && ipaddr.process(name).range() === 'loopback';
}

/**
 * Refuses to open a server without API keys to others than this machine. For programs that listen; call it before `listen`.
 *
 * @param options.host As given to `listen`, e.g. `127.0.0.1` or `0.0.0.0`; undefined means every address.
 * @param options.hasKeys Whether callers must show a key.
 * @throws {InvalidArgumentError}
 */
export function checkListenAddress(options: { host: string | undefined; hasKeys: boolean }): void {
  const { host, hasKeys } = options;
  if (hasKeys || (host !== undefined && isLoopbackHost(host))) return;
  throw new InvalidArgumentError({
    argument: 'host',
    expected: 'localhost or an API key (anybody who reaches a public address could use the server)',
    received: host === undefined || host === '' ? 'every address' : host,
  });
}
