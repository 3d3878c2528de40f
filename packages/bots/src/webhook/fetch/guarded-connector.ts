import { lookup as systemLookup } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { InvalidArgumentError } from '@vibe-edit/core';
import { buildConnector } from 'undici';
import type { AddressRule } from './public-address.js';

export function refusedAddress(range: string): InvalidArgumentError {
  return new InvalidArgumentError({
    argument: 'url',
    expected: 'a URL on the public internet',
    received: `one that leads to an address that is not public (${range})`,
  });
}

/**
 * The refusal of a host name, the same whether it is known to nobody or leads inside: by the difference a stranger could list the names
 * of the network here.
 */
export class RefusedHostError extends InvalidArgumentError {
  /** False: the name was not found, and may be another time. */
  readonly isFound: boolean;

  constructor({ isFound, cause }: { isFound: boolean; cause?: unknown }) {
    const received = 'one whose host name leads to no public address';
    super({ argument: 'url', expected: 'a URL on the public internet', received, cause });
    this.isFound = isFound;
  }
}

/** Why a host name was refused, for a log. */
export interface HostRefusal {
  readonly host: string;
  /** Code of a failed lookup, e.g. `ENOTFOUND`, or range of an address, e.g. `private`. */
  readonly reason: string;
}

/**
 * A connector that only opens connections to addresses the rule lets through. Names are looked up once, by the very call that connects,
 * so that no second answer can differ from the one that was checked; literal addresses, which never reach a lookup, are checked apart.
 */
export function createGuardedConnector(options: {
  rule: AddressRule;
  /** Default: the system's. */
  lookup?: LookupFunction;
  connectSeconds: number;
  /** Hears what the error does not tell. */
  onRefusedHost?: (refusal: HostRefusal) => void;
}): buildConnector.connector {
  const { rule, lookup = systemLookup as LookupFunction, connectSeconds, onRefusedHost = () => undefined } = options;

  const guardedLookup: LookupFunction = (hostname, lookupOptions, callback) => {
    lookup(hostname, { ...lookupOptions, all: true }, (error, found) => {
      const refuse = (reason: string, isFound: boolean): void => {
        onRefusedHost({ host: hostname, reason });
        callback(new RefusedHostError({ isFound, cause: error ?? undefined }), []);
      };
      if (error !== null) return refuse(error.code ?? error.message, false);
      const addresses = typeof found === 'string' ? [{ address: found, family: isIP(found) }] : (found ?? []);
      // One bad address among good ones refuses them all: which of them would be taken is not for us to choose.
      const range = addresses.map(({ address }) => rule.refusal(address)).find((found) => found !== undefined);
      const [first] = addresses;
      if (first === undefined) return refuse('no address', false);
      if (range !== undefined) return refuse(range, true);
      if (lookupOptions.all === true) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  const connect = buildConnector({ lookup: guardedLookup, timeout: connectSeconds * 1000 });
  return (connection, callback) => {
    const host = connection.hostname.replace(/^\[(.*)\]$/, '$1');
    const range = isIP(host) === 0 ? undefined : rule.refusal(host);
    if (range !== undefined) callback(refusedAddress(range), null);
    else connect(connection, callback);
  };
}
