import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

/** For each IPv6 range (by its name in ipaddr.js) that embeds an IPv4 address: the offset of its four bytes. */
const IPV4_AT = new Map<string, number>([
  /** `::ffff:203.0.113.9` (RFC 4291). */
  ['ipv4Mapped', 12],
  /** `::ffff:0:203.0.113.9` (RFC 6145). */
  ['rfc6145', 12],
  /** NAT64: `64:ff9b::203.0.113.9` (RFC 6052), or inside a network (RFC 8215), where a /96 is usual. */
  ['rfc6052', 12],
  /** `2002:cb00:7109::1` (RFC 3056). The holder of the IPv4 address has 65,536 blocks of /64. */
  ['6to4', 2],
]);

/**
 * Returns the block that an address belongs to: the IPv4 address itself, in whatever notation it comes, or the IPv6 /64 that one subscriber
 * gets. `null` for loopback: there are no strangers there, and a test creates a thousand accounts from it. Also `null` if the edge names no
 * address, because one block could not tell those strangers apart. A text that is not an address is its own block.
 */
export function addressBlock(address: string | null): string | null {
  const text = address?.trim().toLowerCase();
  if (!text || text === 'localhost') return null;
  if (!ipaddr.isValid(text)) return text;
  const one = asIPv4(ipaddr.parse(text));
  if (one.range() === 'loopback') return null;
  if (!('parts' in one)) return one.toString();
  return one.parts
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':');
}

/** Returns the IPv4 address that an IPv6 address embeds; any other address unchanged. */
function asIPv4(address: IPv4 | IPv6): IPv4 | IPv6 {
  const at = IPV4_AT.get(address.range());
  return at === undefined ? address : ipaddr.fromByteArray(address.toByteArray().slice(at, at + 4));
}
