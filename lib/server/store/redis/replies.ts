import type { NameKey } from '../../../protocol/names.ts';
import type { Bounds, StoredMessage } from '../../hub/ports.ts';
import { RedisFailure } from '../../redis/failure.ts';
import { unpackMessage } from '../../redis/packed-message.ts';

/** What a script answers is what lies in Redis, where others may write too: nothing of it is believed unseen. */
export function unexpected(what: string): RedisFailure {
  return new RedisFailure('refused', `what Redis holds of ${what} is not what bcast writes`);
}

export function toNumber(value: unknown, what: string): number {
  if (!Number.isSafeInteger(value)) throw unexpected(what);
  return value as number;
}

export function toBounds(reply: readonly unknown[], what: string): Bounds {
  const [incarnation, first, last] = reply;
  if (typeof incarnation !== 'string' || !/^[0-9a-f]{16}$/.test(incarnation)) throw unexpected(what);
  return { incarnation, first: toNumber(first, what), last: toNumber(last, what) };
}

/** The messages in what XRANGE and its like answer. */
export function toMessages(room: NameKey, reply: unknown): StoredMessage[] {
  if (!Array.isArray(reply)) throw unexpected(`room ${room}`);
  return reply.map((entry) => {
    const [place, [, packed]] = entry as [string, readonly unknown[]];
    const [seq = Number.NaN, ts = Number.NaN] = place.split('-').map(Number);
    const message = unpackMessage(room, seq, ts, String(packed));
    if (message === null) throw unexpected(`room ${room} at ${seq}`);
    return message;
  });
}
