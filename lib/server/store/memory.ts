import { BcastError } from '../../errors.ts';
import type { MessageId } from '../../protocol/messages.ts';
import { Recent } from '../../recent.ts';
import type { NameKey } from '../../protocol/names.ts';
import type { Appended, Bounds, Draft, PageQuery, Store, StoredMessage } from '../hub/ports.ts';

/** How many of a room's newest ids are recognised when they come again; far more than a client leaves unacknowledged. */
const REMEMBERED_IDS = 4_096;

interface Log {
  readonly incarnation: string;
  /** The newest messages, oldest first, at most twice as many as are kept. */
  messages: StoredMessage[];
  last: number;
  lastTs: number;
  readonly byId: Recent<MessageId, { readonly fp: string; readonly seq: number; readonly ts: number }>;
}

export interface MemoryStoreOptions {
  readonly keepMessages: number;
  /** Sixteen random hex digits, new at each call. */
  readonly newIncarnation: () => string;
}

/** A store for throwaway servers: nothing outlives the process. */
export function createMemoryStore({ keepMessages, newIncarnation }: MemoryStoreOptions): Store {
  const logs = new Map<NameKey, Log>();

  function logOf(room: NameKey): Log {
    const log = logs.get(room);
    if (log === undefined) throw new BcastError('INTERNAL', { cause: new Error(`room ${room} is not open`) });
    return log;
  }

  return {
    keepMessages,
    async open(room) {
      const log = logs.get(room) ?? emptyLog(newIncarnation());
      logs.set(room, log);
      return boundsOf(log, keepMessages);
    },
    async append(drafts) {
      for (const { room } of drafts) logOf(room);
      return drafts.map((draft) => append(logOf(draft.room), draft, keepMessages));
    },
    async read(room, query) {
      const log = logs.get(room);
      return log === undefined ? [] : page(kept(log, keepMessages), query);
    },
    async bounds(room) {
      const log = logs.get(room);
      return log === undefined ? null : boundsOf(log, keepMessages);
    },
    async forget(room) {
      logs.delete(room);
    },
    async close() {
      logs.clear();
    },
  };
}

function append(log: Log, draft: Draft, keepMessages: number): Appended {
  const known = log.byId.get(draft.id);
  if (known !== undefined && known.fp === draft.fp) return { seq: known.seq, ts: known.ts, isDuplicate: true };
  const seq = log.last + 1;
  const ts = Math.max(draft.ts, log.lastTs);
  log.last = seq;
  log.lastTs = ts;
  log.byId.set(draft.id, { fp: draft.fp, seq, ts });
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
  return { incarnation, messages: [], last: 0, lastTs: 0, byId: new Recent(REMEMBERED_IDS) };
}

function kept({ messages }: Log, keepMessages: number): readonly StoredMessage[] {
  return messages.length > keepMessages ? messages.slice(-keepMessages) : messages;
}

function boundsOf(log: Log, keepMessages: number): Bounds {
  const { incarnation, last, messages } = log;
  return { incarnation, last, first: last - Math.min(messages.length, keepMessages) + 1 };
}

function page(messages: readonly StoredMessage[], { after, before, sinceMs, limit }: PageQuery): readonly StoredMessage[] {
  const found = messages.filter(
    ({ seq, ts }) => seq > (after ?? 0) && seq < (before ?? Infinity) && ts >= (sinceMs ?? 0),
  );
  if (limit <= 0) return [];
  return after === undefined ? found.slice(-limit) : found.slice(0, limit);
}
