import type { Clock } from '../../clock.ts';
import type { ListQuery, PutOptions, RecordKind, Records, StoredRecord } from '../hub/ports.ts';
import { compareKeys } from './keys.ts';

interface Kept {
  /** As JSON, so that nobody can change what is stored by changing what was given or got. */
  readonly json: string;
  readonly version: number;
  readonly expiresMs: number | undefined;
}

/** Records that live as long as the process. */
export function createMemoryRecords(clock: Clock): Records & { forgetRoom(room: string): void } {
  const kinds = new Map<RecordKind, Map<string, Kept>>();
  let lastVersion = 0;

  function all(kind: RecordKind): Map<string, Kept> {
    const records = kinds.get(kind) ?? new Map<string, Kept>();
    kinds.set(kind, records);
    return records;
  }

  function find(kind: RecordKind, key: string): Kept | undefined {
    const kept = all(kind).get(key);
    if (kept?.expiresMs === undefined || kept.expiresMs > clock.nowMs()) return kept;
    all(kind).delete(key);
    return undefined;
  }

  function isOver(kind: RecordKind, key: string, over: number | undefined): boolean {
    return over === undefined || (find(kind, key)?.version ?? 0) === over;
  }

  return {
    async get(kind, key) {
      const kept = find(kind, key);
      return kept === undefined ? null : recordOf(key, kept);
    },
    async put(kind, key, value, { over, expiresMs }: PutOptions = {}) {
      if (!isOver(kind, key, over)) return null;
      lastVersion += 1;
      all(kind).set(key, { json: JSON.stringify(value), version: lastVersion, expiresMs });
      return lastVersion;
    },
    async remove(kind, key, over) {
      return find(kind, key) !== undefined && isOver(kind, key, over) && all(kind).delete(key);
    },
    async list(kind, { prefix = '', after, limit, isDescending = false }: ListQuery) {
      const sign = isDescending ? -1 : 1;
      const keys = [...all(kind).keys()]
        .filter((key) => key.startsWith(prefix) && find(kind, key) !== undefined)
        .filter((key) => after === undefined || sign * compareKeys(key, after) > 0)
        .sort((a, b) => sign * compareKeys(a, b));
      return keys.slice(0, limit).map((key) => recordOf(key, find(kind, key) as Kept));
    },
    forgetRoom(room) {
      all('room').delete(room);
      all('read').delete(room);
    },
  };
}

function recordOf(key: string, { json, version }: Kept): StoredRecord {
  return { key, value: JSON.parse(json), version };
}
