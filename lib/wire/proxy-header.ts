import { BcastError } from '../errors.ts';

/**
 * The PROXY protocol, version 2, as HAProxy defines it (proxy-protocol.txt §2.2): what a proxy says in front of a
 * connection about where that came from.
 */

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const FIXED_BYTES = 16;

/** A whole header; the protocol promises that one fits into 536 bytes, which every network carries in one piece. */
export const MAX_PROXY_HEADER_BYTES = 536;

const LOCAL = 0x20;
const PROXY = 0x21;

/** The families that a stream can have, and what their addresses take in bytes. */
const UNSPECIFIED = 0x00;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const ADDRESS_BYTES: ReadonlyMap<number, number> = new Map([
  [UNSPECIFIED, 0],
  [TCP_OVER_IPV4, 12],
  [TCP_OVER_IPV6, 36],
  // A UNIX socket on the other side of the proxy.
  [0x31, 216],
]);

export interface ProxyHeader {
  /** Whom the proxy speaks for: 4 or 16 bytes; null when it speaks for itself or for somebody without an IP address. */
  readonly source: Uint8Array | null;
  /** What came behind the header; a copy. */
  readonly rest: Uint8Array;
}

/** Takes a header as it comes, cut anywhere. It holds no more than one header, and what a single chunk has behind it. */
export class ProxyHeaderDecoder {
  readonly #held = new Uint8Array(MAX_PROXY_HEADER_BYTES);
  #length = 0;

  /** The header once all of it is there, after which no more may be pushed. Throws BAD_FRAME as soon as it cannot be one. */
  push(bytes: Uint8Array): ProxyHeader | undefined {
    const before = this.#length;
    const taken = bytes.subarray(0, MAX_PROXY_HEADER_BYTES - before);
    this.#held.set(taken, before);
    this.#length += taken.length;
    const held = this.#held.subarray(0, this.#length);
    checkFixedPart(held);
    if (held.length < FIXED_BYTES) return undefined;
    const end = FIXED_BYTES + lengthOf(held);
    if (held.length < end) return undefined;
    return { source: sourceOf(held.subarray(0, end)), rest: bytes.slice(end - before) };
  }
}

/** So much of it as is there. */
function checkFixedPart(held: Uint8Array): void {
  for (let i = 0; i < SIGNATURE.length && i < held.length; i += 1) {
    if (held[i] !== SIGNATURE[i]) throw bad('it does not begin with the signature');
  }
  const [command, family] = held.subarray(SIGNATURE.length);
  if (command !== undefined && command !== LOCAL && command !== PROXY) throw bad('another version or command');
  if (held.length < FIXED_BYTES) return;
  const length = lengthOf(held);
  if (FIXED_BYTES + length > MAX_PROXY_HEADER_BYTES) throw bad(`${length} bytes of addresses`);
  // Of a proxy that speaks for itself the rest is to be ignored.
  if (command === LOCAL) return;
  const needed = ADDRESS_BYTES.get(family ?? UNSPECIFIED);
  if (needed === undefined) throw bad('an address family that no stream has');
  if (length < needed) throw bad('shorter than its addresses');
}

function lengthOf(held: Uint8Array): number {
  return ((held[14] ?? 0) << 8) | (held[15] ?? 0);
}

function sourceOf(header: Uint8Array): Uint8Array | null {
  const [command, family] = header.subarray(SIGNATURE.length);
  if (command !== PROXY) return null;
  if (family === TCP_OVER_IPV4) return header.slice(FIXED_BYTES, FIXED_BYTES + 4);
  if (family === TCP_OVER_IPV6) return header.slice(FIXED_BYTES, FIXED_BYTES + 16);
  return null;
}

function bad(why: string): BcastError {
  return new BcastError('BAD_FRAME', { text: 'A trusted proxy did not send a PROXY header.', cause: new Error(why) });
}
