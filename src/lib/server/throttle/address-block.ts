import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';

/** Where in an IPv6 address of a range (by its name in ipaddr.js) the four bytes of an IPv4 address begin. */
const IPV4_AT = new Map<string, number>([
  /** `::ffff:203.0.113.9` (RFC 4291). */
  ['ipv4Mapped', 12],
  /** `::ffff:0:203.0.113.9` (RFC 6145). */
  ['rfc6145', 12],
  /** NAT64: `64:ff9b::203.0.113.9` (RFC 6052), and inside a network (RFC 8215), where a /96 is usual. */
  ['rfc6052', 12],
  /** `2002:cb00:7109::1` (RFC 3056): whoever has the IPv4 address has 65,536 blocks of /64. */
  ['6to4', 2],
]);

/**
 * The block an address belongs to: an IPv4 address itself, in whatever form it comes, or an IPv6 /64, which is what one subscriber gets.
 * `null` for loopback: there is no stranger there, and a test makes a thousand accounts from it. Also where the edge names no
 * address: no block would tell the strangers there apart. What is no address is a block of its own.
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

/** The IPv4 address that an IPv6 one stands for; any other as it is. */
function asIPv4(address: IPv4 | IPv6): IPv4 | IPv6 {
  const at = IPV4_AT.get(address.range());
  return at === undefined ? address : ipaddr.fromByteArray(address.toByteArray().slice(at, at + 4));
}
