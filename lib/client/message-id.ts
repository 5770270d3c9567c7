import type { Clock } from '../clock.ts';
import type { MessageId } from '../protocol/messages.ts';

/** A UUIDv7 (RFC 9562 §5.7): 48 bits of time, then random bits, as 32 hex digits. */
export function newMessageId(nowMs: number, randomBytes: (count: number) => Uint8Array): MessageId {
  const bytes = randomBytes(10);
  bytes[0] = 0x70 | ((bytes[0] as number) & 0x0f);
  bytes[2] = 0x80 | ((bytes[2] as number) & 0x3f);
  let hex = Math.trunc(nowMs).toString(16).padStart(12, '0');
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** A call for random bytes costs as much as sealing a record: they are taken by the page. */
const RANDOM_PAGE_BYTES = 4_096;

/** Makes one id after another. */
export function createIdMaker(clock: Clock): () => MessageId {
  let page = new Uint8Array(0);
  const randomBytes = (count: number): Uint8Array => {
    if (page.length < count) page = crypto.getRandomValues(new Uint8Array(RANDOM_PAGE_BYTES));
    const bytes = page.subarray(0, count);
    page = page.subarray(count);
    return bytes;
  };
  return () => newMessageId(clock.nowMs(), randomBytes);
}
