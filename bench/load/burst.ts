import { nowUs, stampBody } from './body.ts';

/** One publish of a protocol, ready but for the stamp in its body. */
export interface PublishTemplate {
  readonly unit: Buffer;
  readonly bodyAt: number;
  /** The WebSocket mask byte that the body is hidden under, or 0. */
  readonly xor: number;
}

/** The bytes of `count` publishes whose bodies count up from `firstSeq`, in a buffer of their own. */
export function makeBurst({ unit, bodyAt, xor }: PublishTemplate, firstSeq: number, count: number): Buffer {
  const burst = Buffer.allocUnsafe(unit.length * count);
  const timeUs = nowUs();
  for (let i = 0; i < count; i++) {
    const at = i * unit.length;
    burst.set(unit, at);
    stampBody(burst, at + bodyAt, firstSeq + i, timeUs, xor);
  }
  return burst;
}
