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
