import type { Clock } from '../../../clock.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { Store } from '../../hub/ports.ts';
import type { AvailabilityListener } from '../../redis/availability.ts';
import type { RedisNode } from '../../redis/node.ts';
import { RedisPages } from './pages.ts';
import { RedisRecords } from './records.ts';
import { Replication } from './replication.ts';
import { type Recall, RedisRooms } from './rooms.ts';
import { Sweeper } from './sweeper.ts';

export interface RedisStoreOptions {
  /** With the scripts of this store; it ends with the store. */
  readonly node: RedisNode;
  readonly clock: Clock;
  /** Sixteen random hex digits, new at each call. */
  readonly newIncarnation: () => string;
  readonly keepMessages: number;
  readonly keepMs: number;
  /** How long a room that is not retained outlives the last node that had it open, in milliseconds. */
  readonly leaseMs: number;
  /** How long after Redis has begun anew no room is made that is not there, so that nodes can put theirs back. */
  readonly recoveryMs: number;
  /** How many replicas must have what was written before it counts as stored, and how long to wait for them each time. */
  readonly wait: number;
  readonly waitTimeoutMs: number;
}

/**
 * A store in Redis, shared by all nodes. While Redis does not answer, `append` goes on trying, and each draft is stored once
 * and in its order when Redis is back; everything else throws UNAVAILABLE at once, and then may or may not have happened.
 */
export interface RedisStore extends Store {
  readonly isAvailable: boolean;
  /** Returns what ends it. */
  onAvailability(listener: AvailabilityListener): () => void;
  /** Asked for what the node knows of an open room that Redis has forgotten. Without it seqs go on and records are lost. */
  recallBy(recall: Recall): void;
  /** Told of an open room that was begun anew elsewhere; it is not open any more. */
  onReplaced(listener: (room: NameKey) => void): () => void;
  /** What another node has stored in a room that is open here. */
  heard(room: NameKey, last: number, lastTs: number): void;
  /** Whether anything is missing in Redis that is open here; what is, is put back. Never rejects. */
  checkAll(): Promise<void>;
}

export function createRedisStore(options: RedisStoreOptions): RedisStore {
  const { node, keepMessages, keepMs, wait, waitTimeoutMs } = options;
  const { availability, connection } = node;
  const parts = { ...options, ...node, replication: new Replication(connection, wait, waitTimeoutMs) };
  const records = new RedisRecords(parts);
  const rooms = new RedisRooms({ ...parts, index: (kind, room) => records.index(kind, room) });
  const pages = new RedisPages(parts);
  const sweeper = new Sweeper(records, options.clock);
  const at = (room: NameKey) => node.keys.room(room).channel;
  return {
    keepMessages,
    keepMs,
    open: (room) => rooms.open(room),
    append: (drafts) => rooms.append(drafts),
    read: (room, query) => availability.once(at(room), () => pages.read(room, query)),
    search: (room, query) => availability.once(at(room), () => pages.search(room, query)),
    bounds: (room) => availability.once(at(room), () => pages.bounds(room)),
    retain: (room, isRetained) => rooms.retain(room, isRetained),
    async forget(room) {
      const had = await rooms.forget(room);
      await availability.once(at(room), () => Promise.all(had.map((kind) => records.unindex(kind, room))));
    },
    get: (kind, key) => records.get(kind, key),
    put: (kind, key, value, query) => records.put(kind, key, value, query),
    remove: (kind, key, over) => records.remove(kind, key, over),
    list: (kind, query) => records.list(kind, query),
    get isAvailable() {
      return availability.isAvailable;
    },
    get outage() {
      return availability.outage;
    },
    onAvailability: (listener) => availability.onChange(listener),
    recallBy: (recall) => rooms.recallBy(recall),
    onReplaced: (listener) => rooms.onReplaced(listener),
    heard: (room, last, lastTs) => rooms.heard(room, last, lastTs),
    async release(room) {
      rooms.release(room);
    },
    checkAll: () => rooms.checkAll(),
    async close() {
      sweeper.close();
      rooms.close();
      node.close();
    },
  };
}
