import { invariant } from '../../errors.ts';
import { totalBytes } from '../bytes.ts';

/** A hash of one message, with blocks of 64 bytes and a digest of 32. */
type Digest = (message: Uint8Array) => Uint8Array;

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;

/** The key schedules of Noise feed an HMAC at most 65 bytes. */
const MAX_MESSAGE_BYTES = 192;

/** Shared by all: written and wiped within one synchronous call. */
const block = new Uint8Array(BLOCK_BYTES + MAX_MESSAGE_BYTES);
const outerBlock = block.subarray(0, BLOCK_BYTES + DIGEST_BYTES);

/**
 * HMAC (RFC 2104) over a one-shot hash. A handshake needs fifteen; node:crypto's createHmac costs 13 us with a key given as
 * bytes, two one-shot hashes 1.5 us. `key` is at most a block long and the parts together at most 192 bytes.
 */
export function hmacOver(digest: Digest, key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
  const messageBytes = totalBytes(parts);
  invariant(key.length <= BLOCK_BYTES && messageBytes <= MAX_MESSAGE_BYTES, 'an HMAC is of a short key and message');
  padKey(key, 0x36);
  let end = BLOCK_BYTES;
  for (const part of parts) {
    block.set(part, end);
    end += part.length;
  }
  const inner = digest(block.subarray(0, end));
  padKey(key, 0x5c);
  block.set(inner, BLOCK_BYTES);
  const mac = digest(outerBlock);
  block.fill(0);
  return mac;
}

function padKey(key: Uint8Array, pad: number): void {
  block.fill(pad, key.length, BLOCK_BYTES);
  for (let i = 0; i < key.length; i++) block[i] = (key[i] ?? 0) ^ pad;
}
