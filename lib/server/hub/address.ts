/** An IP address as its 16 bytes. An IPv4 address is one of IPv6 (RFC 4291 §2.5.5.2): it is the same however it came in. */
export type IpAddress = Uint8Array;

/** The addresses that begin with the same bits. */
export interface Network {
  /** All other bits are 0. */
  readonly first: IpAddress;
  /** How many bits count, of 128. */
  readonly prefixBits: number;
}

const ADDRESS_BITS = 128;
const GROUPS = 8;
const IPV4_BYTES = 4;
/** What an IPv4 address has in front. */
const MAPPED = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];
const MAPPED_BITS = 96;
/** What one customer or machine is given of IPv6, at least. */
const ORIGIN_BITS = 64;

const OCTET = /^(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)$/;
const GROUP = /^[0-9a-f]{1,4}$/i;
const PREFIX = /^(?:0|[1-9]\d{0,2})$/;
/** Which of its interfaces a link-local address is on (RFC 4007 §11) makes it no other address. */
const ZONE = /%[^%]+$/;

/** The address that `text` is, IPv4 or IPv6, or null: never a name, a port or a shortened IPv4 address. */
export function parseAddress(text: string): IpAddress | null {
  const bytes = text.includes(':') ? ipv6Bytes(text.replace(ZONE, '')) : mapped(ipv4Bytes(text));
  return bytes === null ? null : Uint8Array.from(bytes);
}

/** The address of 4 or 16 bytes, in the order in which they travel. */
export function addressOf(bytes: Uint8Array): IpAddress {
  return bytes.length === IPV4_BYTES ? Uint8Array.from([...MAPPED, ...bytes]) : Uint8Array.from(bytes);
}

/** What `10.0.0.0/8`, `2001:db8::/32` or a single address means; bits after the prefix are dropped. Null for all else. */
export function parseNetwork(text: string): Network | null {
  const slash = text.indexOf('/');
  const address = parseAddress(slash === -1 ? text : text.slice(0, slash));
  if (address === null) return null;
  if (slash === -1) return networkOf(address, ADDRESS_BITS);
  const prefix = text.slice(slash + 1);
  if (!PREFIX.test(prefix)) return null;
  const prefixBits = Number(prefix) + (text.includes(':') ? 0 : MAPPED_BITS);
  return prefixBits > ADDRESS_BITS ? null : networkOf(address, prefixBits);
}

/** Whether the address is one of the network. `::/0` is every address, `0.0.0.0/0` every one of IPv4. */
export function isWithin({ first, prefixBits }: Network, address: IpAddress): boolean {
  const whole = prefixBits >> 3;
  for (let i = 0; i < whole; i += 1) if (first[i] !== address[i]) return false;
  const rest = prefixBits & 7;
  return rest === 0 || (((first[whole] ?? 0) ^ (address[whole] ?? 0)) & topBits(rest)) === 0;
}

/** The one text of an address: dotted for IPv4, as RFC 5952 demands for IPv6. */
export function formatAddress(address: IpAddress): string {
  if (isIpv4(address)) return address.subarray(MAPPED.length).join('.');
  const groups = Array.from({ length: GROUPS }, (_, i) =>
    (((address[2 * i] ?? 0) << 8) | (address[2 * i + 1] ?? 0)).toString(16),
  );
  const { start, length } = longestZeros(groups);
  if (length < 2) return groups.join(':');
  return `${groups.slice(0, start).join(':')}::${groups.slice(start + length).join(':')}`;
}

/** The one text of a network: with its prefix, unless it is a single address. */
export function formatNetwork({ first, prefixBits }: Network): string {
  const text = formatAddress(first);
  if (prefixBits === ADDRESS_BITS) return text;
  return `${text}/${text.includes(':') ? prefixBits : prefixBits - MAPPED_BITS}`;
}

/**
 * What limits count as one address: whoever has one of IPv6 has the 2^64 that begin like it, and could come from another one
 * each time. What is no address is taken as it is.
 */
export function originOf(text: string): string {
  const address = text.includes(':') ? parseAddress(text) : null;
  if (address === null || isIpv4(address)) return address === null ? text : formatAddress(address);
  return formatNetwork(networkOf(address, ORIGIN_BITS));
}

function networkOf(address: IpAddress, prefixBits: number): Network {
  const first = address.map((byte, i) => byte & topBits(Math.min(8, Math.max(0, prefixBits - 8 * i))));
  return { first, prefixBits };
}

/** A byte of which the first `count` bits are 1. */
function topBits(count: number): number {
  return (0xff00 >> count) & 0xff;
}

function isIpv4(address: IpAddress): boolean {
  return MAPPED.every((byte, i) => address[i] === byte);
}

function ipv4Bytes(text: string): readonly number[] | null {
  const octets = text.split('.');
  return octets.length === IPV4_BYTES && octets.every((octet) => OCTET.test(octet)) ? octets.map(Number) : null;
}

function mapped(ipv4: readonly number[] | null): readonly number[] | null {
  return ipv4 === null ? null : [...MAPPED, ...ipv4];
}

/** RFC 4291 §2.2: groups, of which one run of zeros may be `::` and the last two an IPv4 address. */
function ipv6Bytes(text: string): readonly number[] | null {
  const halves = text.split('::');
  if (halves.length > 2) return null;
  const [front, back] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const isShortened = back !== undefined;
  // An IPv4 address can only stand at the very end.
  const head = groupBytes(front ?? [], !isShortened);
  const tail = groupBytes(back ?? [], true);
  if (head === null || tail === null) return null;
  const zeros = 2 * GROUPS - head.length - tail.length;
  if (isShortened ? zeros < 2 : zeros !== 0) return null;
  return [...head, ...Array<number>(zeros).fill(0), ...tail];
}

function groupBytes(groups: readonly string[], isAtEnd: boolean): readonly number[] | null {
  const bytes: number[] = [];
  for (const [i, group] of groups.entries()) {
    const dotted = isAtEnd && i === groups.length - 1 ? ipv4Bytes(group) : null;
    if (dotted !== null) bytes.push(...dotted);
    else if (GROUP.test(group)) bytes.push(Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff);
    else return null;
  }
  return bytes;
}

function longestZeros(groups: readonly string[]): { readonly start: number; readonly length: number } {
  let longest = { start: 0, length: 0 };
  let start = 0;
  for (const [i, group] of groups.entries()) {
    if (group !== '0') start = i + 1;
    else if (i + 1 - start > longest.length) longest = { start, length: i + 1 - start };
  }
  return longest;
}
