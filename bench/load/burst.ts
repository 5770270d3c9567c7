import { nowUs, stampBody } from './body.ts';

/** One publish of a protocol, ready but for its stamps. */
export interface PublishTemplate {
  readonly unit: Buffer;
  readonly bodyAt: number;
  /** The WebSocket mask byte that the body is hidden under, or 0. */
  readonly xor: number;
  /** Where the protocol wants a number of the message's own: u32 big-endian, counting up from `firstCounter`. */
  readonly countersAt: readonly number[];
  readonly firstCounter: number;
}

/** The bytes of `count` publishes whose bodies count up from `firstSeq`, in a buffer of their own. */
export function makeBurst(template: PublishTemplate, firstSeq: number, count: number): Buffer {
  const { unit, bodyAt, xor, countersAt, firstCounter } = template;
  const burst = Buffer.allocUnsafe(unit.length * count);
  const timeUs = nowUs();
  for (let i = 0; i < count; i++) {
    const at = i * unit.length;
    burst.set(unit, at);
    stampBody(burst, at + bodyAt, firstSeq + i, timeUs, xor);
    for (const counterAt of countersAt) burst.writeUInt32BE(firstCounter + firstSeq + i, at + counterAt);
  }
  return burst;
}
