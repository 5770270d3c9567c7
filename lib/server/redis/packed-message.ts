import { MAX_BODY_BYTES, MAX_NAME_CHARS } from '../../limits.ts';
import type { NameKey } from '../../protocol/names.ts';
import { toUserName } from '../../protocol/names.ts';
import type { Draft, StoredMessage } from '../hub/ports.ts';

const FINGERPRINT_START = 'SHA256:';
/** `t` or `a`, the id, the digest of the sender's fingerprint. Scripts take the id and a part of the digest from here. */
const HEAD = /^([ta])([0-9a-f]{32})([A-Za-z0-9+/]{43})/;
const HEAD_LENGTH = 76;

/** The digits of an id and enough of the digest after it (96 bits) that nobody can make a key for another's. */
export const DUPLICATE_KEY = { from: 2, to: 49 } as const;

/** A message as it lies in Redis; its seq and time are the number of its entry. Throws for a fingerprint that is none. */
export function packMessage({ id, from, fp, kind, body }: Draft): string {
  if (fp.length !== 50 || !fp.startsWith(FINGERPRINT_START)) throw new Error('not a fingerprint');
  return `${kind === 'text' ? 't' : 'a'}${id}${fp.slice(FINGERPRINT_START.length)}${from}\n${body}`;
}

/** The message, or null when it is not as `packMessage` writes: whoever can write to Redis can write anything. */
export function unpackMessage(room: NameKey, seq: number, ts: number, packed: string): StoredMessage | null {
  const head = HEAD.exec(packed);
  const end = packed.indexOf('\n', HEAD_LENGTH);
  if (head === null || end < 0 || end > HEAD_LENGTH + MAX_NAME_CHARS * 4) return null;
  const from = packed.slice(HEAD_LENGTH, end);
  const body = packed.slice(end + 1);
  const name = toUserName(from);
  if (name !== from || body.length > MAX_BODY_BYTES || !isPlace(seq) || !isPlace(ts)) return null;
  const [, kind, id = '', digest] = head;
  return {
    room,
    id,
    from: name,
    fp: `${FINGERPRINT_START}${digest}`,
    kind: kind === 't' ? 'text' : 'action',
    body,
    ts,
    seq,
  };
}

function isPlace(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0;
}
