import type { Clock } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import type { NameKey } from '../../protocol/names.ts';
import type { Appended, Bounds, Draft, Found, PageQuery, SearchQuery, Store, StoredMessage } from '../hub/ports.ts';
import { createMemoryRecords } from './memory-records.ts';
import { RecentIds } from './recent-ids.ts';
import { matcherOf } from './words.ts';

interface Log {
  readonly incarnation: string;
  /** The newest messages, oldest first, at most twice as many as are kept. */
  messages: StoredMessage[];
  last: number;
  lastTs: number;
  readonly ids: RecentIds;
}

export interface MemoryStoreOptions {
  readonly keepMessages: number;
  readonly keepMs: number;
  readonly clock: Clock;
  /** Sixteen random hex digits, new at each call. */
  readonly newIncarnation: () => string;
}

/** A store for throwaway servers: nothing outlives the process. */
export function createMemoryStore(options: MemoryStoreOptions): Store {
  const { keepMessages, keepMs, clock, newIncarnation } = options;
  const logs = new Map<NameKey, Log>();
  const { forgetRoom, ...records } = createMemoryRecords(clock);

  function logOf(room: NameKey): Log {
    const log = logs.get(room);
    if (log === undefined) throw new BcastError('INTERNAL', { cause: new Error(`room ${room} is not open`) });
    return log;
  }

  /** The room without what has become too old. */
  function current(room: NameKey): Log | undefined {
    const log = logs.get(room);
    if (log !== undefined) dropOld(log, clock.nowMs() - keepMs);
    return log;
  }

  return {
    keepMessages,
    keepMs,
    async open(room) {
      const log = current(room) ?? emptyLog(newIncarnation());
      logs.set(room, log);
      return boundsOf(log, keepMessages);
    },
    async append(drafts) {
      for (const { room } of drafts) logOf(room);
      return drafts.map((draft) => append(logOf(draft.room), draft, keepMessages));
    },
    async read(room, query) {
      const log = current(room);
      return log === undefined ? [] : page(log, keepMessages, query);
    },
    async search(room, query) {
      const log = current(room);
      return log === undefined ? { messages: [], from: 1 } : search(log, keepMessages, query);
    },
    async bounds(room) {
      const log = current(room);
      return log === undefined ? null : boundsOf(log, keepMessages);
    },
    // Nothing outlives the process, and while it lives the hub says what is forgotten.
    async retain() {},
    async release() {},
    async forget(room) {
      logs.delete(room);
      forgetRoom(room);
    },
    ...records,
    async close() {
      logs.clear();
    },
  };
}

function dropOld(log: Log, oldestMs: number): void {
  const fresh = positionSince(log.messages, oldestMs);
  if (fresh > 0) log.messages = log.messages.slice(fresh);
}

function search(log: Log, keepMessages: number, { words, before = Infinity, limit }: SearchQuery): Found {
  const { first } = boundsOf(log, keepMessages);
  const matches = matcherOf(words);
  const messages: StoredMessage[] = [];
  for (let i = log.messages.length - 1; i >= 0 && messages.length < limit; i -= 1) {
    const message = log.messages[i] as StoredMessage;
    if (message.seq < first) break;
    if (message.seq < before && matches(message.body)) messages.push(message);
  }
  const isAtLimit = messages.length === limit;
  return { messages: messages.reverse(), from: isAtLimit ? (messages[0]?.seq ?? log.last + 1) : first };
}

function append(log: Log, draft: Draft, keepMessages: number): Appended {
  const known = draft.isAgain ? log.ids.find(draft) : undefined;
  if (known !== undefined) return { seq: known.seq, ts: known.ts, isDuplicate: true };
  const seq = log.last + 1;
  const ts = Math.max(draft.ts, log.lastTs);
  log.last = seq;
  log.lastTs = ts;
  log.ids.add(draft, seq, ts);
  if (keepMessages > 0) keep(log, draft, seq, ts, keepMessages);
  return { seq, ts, isDuplicate: false };
}

function keep(log: Log, draft: Draft, seq: number, ts: number, keepMessages: number): void {
  // Written out: copying a draft with the spread syntax took a seventh of the server's time at ten members.
  const { room, id, from, fp, kind, body } = draft;
  log.messages.push({ room, id, from, fp, kind, body, ts, seq });
  if (log.messages.length >= keepMessages * 2) log.messages = log.messages.slice(-keepMessages);
}

function emptyLog(incarnation: string): Log {
  return { incarnation, messages: [], last: 0, lastTs: 0, ids: new RecentIds() };
}

function boundsOf(log: Log, keepMessages: number): Bounds {
  const { incarnation, last, messages } = log;
  return { incarnation, last, first: last - Math.min(messages.length, keepMessages) + 1 };
}

/** By position, as seqs have no holes and times never go back: a page costs its own length, however much is kept. */
function page({ messages, last }: Log, keepMessages: number, query: PageQuery): readonly StoredMessage[] {
  const { after, before = last + 1, sinceMs, limit } = query;
  const firstSeq = last - messages.length + 1;
  const oldest = Math.max(0, messages.length - keepMessages, (after ?? 0) + 1 - firstSeq);
  const start = sinceMs === undefined ? oldest : Math.max(oldest, positionSince(messages, sinceMs));
  const end = Math.min(messages.length, before - firstSeq);
  if (start >= end) return [];
  return after === undefined
    ? messages.slice(Math.max(start, end - limit), end)
    : messages.slice(start, Math.min(end, start + limit));
}

/** The position of the first message at or after that time, by halving. */
function positionSince(messages: readonly StoredMessage[], sinceMs: number): number {
  let low = 0;
  let high = messages.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((messages[middle]?.ts ?? sinceMs) < sinceMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
