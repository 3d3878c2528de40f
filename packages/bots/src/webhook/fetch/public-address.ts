import ipaddr from 'ipaddr.js';

/** What the IANA has given out for the public IPv6 internet so far (RFC 4291, section 2.4). */
const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/** Decides which IP addresses may be connected to. */
export interface AddressRule {
  /** The range that forbids an address, e.g. `loopback`; undefined when it may be connected to. */
  refusal(address: string): string | undefined;
}

/**
 * Lets public unicast addresses through and nothing else: no loopback, private, link-local, carrier-grade, documentation, multicast
 * or reserved ones, none that wrap an IPv4 address (mapped, NAT64, 6to4, Teredo), and no text that is not an address.
 *
 * @param options.allowed Ranges to let through besides, e.g. `10.1.0.0/16` for a company's own picture server.
 * @throws {TypeError} when one of them is no range
 */
export function createAddressRule(options: { allowed?: readonly string[] } = {}): AddressRule {
  const allowed = (options.allowed ?? []).map((range) => ipaddr.parseCIDR(range));
  return {
    refusal(text) {
      if (!ipaddr.isValid(text)) return 'unknown';
      // An IPv4 address inside an IPv6 one counts as what it is.
      const address = ipaddr.process(text);
      if (allowed.some(([base, bits]) => base.kind() === address.kind() && address.match(base, bits))) return undefined;
      const range = address.range();
      if (range !== 'unicast') return range;
      return address.kind() === 'ipv6' && !address.match(GLOBAL_IPV6) ? 'reserved' : undefined;
    },
  };
}
