import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { ListQuery, PutOptions, RecordKind, StoredRecord } from '../../hub/ports.ts';
import type { Doing } from './database.ts';

/** Records in the file. What has expired is not there, however long its row may stand. */
export class RecordTable {
  readonly #transaction: Doing;
  readonly #database: DatabaseSync;
  readonly #get: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #nextVersion: StatementSync;
  readonly #removeExpired: StatementSync;
  readonly #lists = new Map<string, StatementSync>();

  constructor(database: DatabaseSync, transaction: Doing) {
    this.#transaction = transaction;
    this.#database = database;
    const isThere = '(expires_ms IS NULL OR expires_ms > ?)';
    this.#get = database.prepare(`SELECT key, value, version FROM records WHERE kind = ? AND key = ? AND ${isThere}`);
    this.#put = database.prepare('INSERT OR REPLACE INTO records VALUES (?, ?, ?, ?, ?)');
    this.#remove = database.prepare('DELETE FROM records WHERE kind = ? AND key = ?');
    this.#nextVersion = database.prepare(
      `UPDATE counters SET value = value + 1 WHERE name = 'version' RETURNING value AS version`,
    );
    this.#removeExpired = database.prepare(
      `DELETE FROM records WHERE (kind, key) IN (SELECT kind, key FROM records WHERE expires_ms <= ? LIMIT ?)`,
    );
  }

  get(kind: RecordKind, key: string, nowMs: number): StoredRecord | null {
    const row = this.#get.get(kind, key, nowMs);
    return row === undefined ? null : recordOf(row);
  }

  /** `json` is the value. */
  put(kind: RecordKind, key: string, json: string, { over, expiresMs }: PutOptions, nowMs: number): number | null {
    return this.#transaction(() => {
      if (!this.#isOver(kind, key, over, nowMs)) return null;
      const version = Number(this.#nextVersion.get()?.['version']);
      this.#put.run(kind, key, json, version, expiresMs ?? null);
      return version;
    });
  }

  remove(kind: RecordKind, key: string, over: number | undefined, nowMs: number): boolean {
    return this.#transaction(() => {
      const isThere = this.get(kind, key, nowMs) !== null && this.#isOver(kind, key, over, nowMs);
      if (isThere) this.#remove.run(kind, key);
      return isThere;
    });
  }

  list(
    kind: RecordKind,
    { prefix = '', after, limit, isDescending = false }: ListQuery,
    nowMs: number,
  ): StoredRecord[] {
    const end = endOf(prefix);
    const bounds: [sql: string, value: string | undefined][] = [
      ['key >= ?', prefix],
      ['key < ?', end],
      [isDescending ? 'key < ?' : 'key > ?', after],
    ];
    const used = bounds.filter((bound): bound is [string, string] => bound[1] !== undefined);
    const where = ['kind = ?', '(expires_ms IS NULL OR expires_ms > ?)', ...used.map(([sql]) => sql)].join(' AND ');
    const order = isDescending ? 'DESC' : 'ASC';
    const statement = this.#list(
      `SELECT key, value, version FROM records WHERE ${where} ORDER BY key ${order} LIMIT ?`,
    );
    return statement.all(kind, nowMs, ...used.map(([, value]) => value), limit).map(recordOf);
  }

  /** Removes rows of what has expired; true when there may be more. */
  removeExpired(nowMs: number, most: number): boolean {
    return this.#removeExpired.run(nowMs, most).changes === most;
  }

  /** The records that end with a room. */
  forgetRoom(room: string): void {
    for (const kind of ['room', 'read']) this.#remove.run(kind, room);
  }

  #list(sql: string): StatementSync {
    const statement = this.#lists.get(sql) ?? this.#database.prepare(sql);
    this.#lists.set(sql, statement);
    return statement;
  }

  #isOver(kind: RecordKind, key: string, over: number | undefined, nowMs: number): boolean {
    return over === undefined || (this.get(kind, key, nowMs)?.version ?? 0) === over;
  }
}

function recordOf({ key, value, version }: Record<string, SQLOutputValue>): StoredRecord {
  return { key: String(key), value: JSON.parse(String(value)), version: Number(version) };
}

/** What comes right after all keys with this prefix, as UTF-8 compares; undefined when nothing does. */
function endOf(prefix: string): string | undefined {
  const points = [...prefix].map((character) => character.codePointAt(0) as number);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // The surrogates are no characters of their own.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}
