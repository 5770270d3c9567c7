import type { Clock } from '../../../clock.ts';
import { MAX_RECORD_BYTES } from '../../../limits.ts';
import type { NameKey } from '../../../protocol/names.ts';
import { utf8Length } from '../../../protocol/text.ts';
import type { ListQuery, PutOptions, RecordKind, Records, StoredRecord } from '../../hub/ports.ts';
import type { Availability } from '../../redis/availability.ts';
import type { Argument, RedisConnection } from '../../redis/connection.ts';
import { RedisFailure } from '../../redis/failure.ts';
import { isRoomRecord, type Keys } from '../../redis/keys.ts';
import { compareKeys } from '../keys.ts';
import type { Replication } from './replication.ts';
import { toNumber, unexpected } from './replies.ts';
import { PUT, REMOVE } from './scripts.ts';

/** How many records of a list are fetched at a time. */
const LIST_CHUNK = 200;

/** Version and end in front of the JSON, and one byte by which it shows when there is more. */
const MAX_HEAD_BYTES = 36;

const RECORD = /^([1-9]\d{0,15}) (\d{0,16})\n/;

export interface RecordsOptions {
  readonly connection: RedisConnection;
  readonly availability: Availability;
  readonly keys: Keys;
  readonly clock: Clock;
  readonly leaseMs: number;
  readonly replication: Replication;
}

/**
 * Records, each in the slot of its key, and for each kind an index of keys in another. A record is in the index before and
 * after it is made; an entry whose record is gone is taken out by whoever comes upon it.
 */
export class RedisRecords implements Records {
  readonly #options: RecordsOptions;

  constructor(options: RecordsOptions) {
    this.#options = options;
  }

  get(kind: RecordKind, key: string): Promise<StoredRecord | null> {
    const { availability, keys } = this.#options;
    return availability.once(keys.record(kind, key), async () => (await this.#fetch(kind, key)) ?? null);
  }

  put(kind: RecordKind, key: string, value: unknown, { over, expiresMs }: PutOptions = {}): Promise<number | null> {
    const { availability, connection, clock, leaseMs, replication } = this.#options;
    const [at, ...head] = this.#keysOf(kind, key);
    return availability.once(at, async () => {
      const json = JSON.stringify(value);
      if (utf8Length(json) > MAX_RECORD_BYTES) throw new RedisFailure('refused', `the ${kind} record is too large`);
      // Only what may be made; so that no crash leaves a record that no list has.
      if (over === undefined || over === 0) await this.index(kind, key);
      const nowMs = clock.nowMs();
      const ends = expiresMs === undefined ? ['', ''] : [expiresMs, Math.max(1, Math.ceil(expiresMs - nowMs))];
      const args = [nowMs, over ?? '', ...ends, json, leaseMs];
      const reply = await connection.run(PUT, [at, ...head], args);
      if (reply === null) return null;
      await replication.confirm(at);
      const [version, isNew] = reply as unknown[];
      // Whoever found the entry without its record a moment ago may be about to take it out.
      if (isNew === 1) await this.index(kind, key);
      return toNumber(version, `${kind} record`);
    });
  }

  remove(kind: RecordKind, key: string, over?: number): Promise<boolean> {
    const { availability, connection, clock, keys, replication } = this.#options;
    const at = keys.record(kind, key);
    return availability.once(at, async () => {
      const removed = await connection.run(REMOVE, [at], [clock.nowMs(), over ?? '']);
      if (removed !== 1) return false;
      await replication.confirm(at);
      await this.unindex(kind, key);
      return true;
    });
  }

  list(kind: RecordKind, query: ListQuery): Promise<readonly StoredRecord[]> {
    const { availability, keys } = this.#options;
    return availability.once(keys.index(kind), async () => {
      const found: StoredRecord[] = [];
      let { after } = query;
      while (found.length < query.limit) {
        const limit = Math.min(LIST_CHUNK, query.limit - found.length);
        const names = await this.#listKeys(kind, { ...query, limit, ...(after === undefined ? {} : { after }) });
        const records = await Promise.all(names.map((key) => this.#fetchListed(kind, key)));
        found.push(...records.filter((record) => record !== undefined));
        if (names.length < limit) break;
        after = names.at(-1);
      }
      return found;
    });
  }

  async index(kind: RecordKind, key: string): Promise<void> {
    const { connection, keys } = this.#options;
    await connection.command('ZADD', keys.index(kind), 0, key);
  }

  /** Takes a key out of the index, and puts it back when its record was made meanwhile. */
  async unindex(kind: RecordKind, key: string): Promise<void> {
    const { connection, keys } = this.#options;
    await connection.command('ZREM', keys.index(kind), key);
    if ((await connection.command('EXISTS', keys.record(kind, key))) === 1) await this.index(kind, key);
  }

  #keysOf(kind: RecordKind, key: string): [string, ...string[]] {
    const { keys } = this.#options;
    const record = keys.record(kind, key);
    return isRoomRecord(kind) ? [record, keys.room(key as NameKey).all[0] as string] : [record];
  }

  async #listKeys(kind: RecordKind, { prefix = '', after, limit, isDescending }: ListQuery): Promise<string[]> {
    const { connection, keys } = this.#options;
    const past = after === undefined ? undefined : `(${after}`;
    let low: Argument = `[${prefix}`;
    // No byte of UTF-8 is as great as 255.
    let high: Argument = prefix === '' ? '+' : Buffer.concat([Buffer.from(`(${prefix}`), Buffer.of(255)]);
    if (past !== undefined && isDescending && (after?.startsWith(prefix) || compareKeys(after ?? '', prefix) < 0))
      high = past;
    if (past !== undefined && !isDescending && compareKeys(after ?? '', prefix) >= 0) low = past;
    const [name, from, to] = isDescending ? ['ZREVRANGEBYLEX', high, low] : ['ZRANGEBYLEX', low, high];
    const reply = await connection.command(
      name as string,
      keys.index(kind),
      from as Argument,
      to as Argument,
      'LIMIT',
      0,
      limit,
    );
    return (reply as unknown[]).map(String);
  }

  async #fetchListed(kind: RecordKind, key: string): Promise<StoredRecord | undefined> {
    const record = await this.#fetch(kind, key);
    if (record === null) await this.unindex(kind, key);
    return record ?? undefined;
  }

  /** Null when nothing is there, undefined when its time is over by this node's clock. */
  async #fetch(kind: RecordKind, key: string): Promise<StoredRecord | null | undefined> {
    const { connection, keys, clock } = this.#options;
    // No more than there can be, whatever is there.
    const text = await connection.command('GETRANGE', keys.record(kind, key), 0, MAX_RECORD_BYTES + MAX_HEAD_BYTES);
    if (text === '') return null;
    const what = `${kind} record`;
    const head = typeof text === 'string' ? RECORD.exec(text) : null;
    if (typeof text !== 'string' || head === null) throw unexpected(what);
    const [{ length }, version, expiresMs] = head;
    if (expiresMs !== '' && Number(expiresMs) <= clock.nowMs()) return undefined;
    return { key, value: parse(text.slice(length), what), version: toNumber(Number(version), what) };
  }
}

function parse(json: string, what: string): unknown {
  if (json.length > MAX_RECORD_BYTES) throw unexpected(what);
  try {
    return JSON.parse(json);
  } catch {
    throw unexpected(what);
  }
}
