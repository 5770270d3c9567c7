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

/** The messages in a list of entry numbers and packed messages. */
export function toMessages(room: NameKey, entries: readonly unknown[]): StoredMessage[] {
  const messages: StoredMessage[] = [];
  for (let i = 0; i < entries.length; i += 2) {
    const [seq = Number.NaN, ts = Number.NaN] = String(entries[i]).split('-').map(Number);
    const message = unpackMessage(room, seq, ts, String(entries[i + 1]));
    if (message === null) throw unexpected(`room ${room} at ${seq}`);
    messages.push(message);
  }
  return messages;
}
