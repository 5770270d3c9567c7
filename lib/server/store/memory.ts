import { BcastError } from '../../errors.ts';
import type { MessageId } from '../../protocol/messages.ts';
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
  readonly byId: Map<MessageId, { readonly fp: string; readonly seq: number; readonly ts: number }>;
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
      const log = logs.get(room) ?? { incarnation: newIncarnation(), messages: [], last: 0, lastTs: 0, byId: new Map() };
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
  remember(log, draft, seq, ts);
  if (keepMessages > 0) log.messages.push({ ...draft, seq, ts });
  if (log.messages.length >= keepMessages * 2 && keepMessages > 0) log.messages = log.messages.slice(-keepMessages);
  return { seq, ts, isDuplicate: false };
}

function remember({ byId }: Log, { id, fp }: Draft, seq: number, ts: number): void {
  byId.set(id, { fp, seq, ts });
  if (byId.size > REMEMBERED_IDS) {
    for (const oldest of byId.keys()) {
      byId.delete(oldest);
      break;
    }
  }
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
