import type { Outage } from '../hub/ports.ts';
import { ownerOf } from '../hub/room-state.ts';
import type { SessionFacts } from '../session/session.ts';
import { count, type Infer, optional } from './arguments.ts';
import type { AdminContext } from './context.ts';

/** Rows of one answer, and how many unless somebody asks for more. */
const MAX_ROWS = 10_000;
const DEFAULT_ROWS = 1_000;

export interface ServerStatus {
  readonly server: string;
  readonly pid: number;
  readonly node: string;
  readonly host: string;
  readonly port: number;
  readonly fingerprint: string;
  readonly startedMs: number;
  readonly uptimeMs: number;
  /** Also of those that have not said hello. */
  readonly connections: number;
  readonly sessions: number;
  readonly users: number;
  /** Also those that wait a while for somebody to come back. */
  readonly rooms: number;
  readonly occupiedRooms: number;
  readonly bans: number;
  readonly memoryBytes: number;
  readonly historyMessages: number;
  readonly historyAgeMs: number;
  /** Null while the storage can be reached. */
  readonly outage: Outage | null;
}

export interface RoomFacts {
  readonly room: string;
  readonly users: number;
  readonly sessions: number;
  readonly lastSeq: number;
  readonly owner: string | null;
  readonly topic: string | null;
  readonly bans: number;
}

/** Some of the rows there are: those that come first in order. */
export interface Rows<T> {
  readonly total: number;
  readonly rows: readonly T[];
}

export const LIST = { limit: optional(count(MAX_ROWS)) };

export function status({ hub, sessions, config, port, fingerprint, clock }: AdminContext): ServerStatus {
  let inside = 0;
  for (const user of hub.users.all()) inside += user.sessions.size;
  return {
    server: config.serverName,
    pid: process.pid,
    node: process.version,
    host: config.host,
    port,
    fingerprint,
    startedMs: clock.nowMs() - hub.uptimeMs,
    uptimeMs: hub.uptimeMs,
    connections: sessions.size,
    sessions: inside,
    users: hub.users.size,
    rooms: hub.rooms.size,
    occupiedRooms: hub.rooms.occupiedCount,
    bans: hub.network.bans.rows(clock.nowMs()).length,
    memoryBytes: process.memoryUsage.rss(),
    historyMessages: hub.store.keepMessages,
    historyAgeMs: hub.store.keepMs,
    outage: hub.store.outage ?? null,
  };
}

/** The largest first. */
export function rooms({ hub, clock }: AdminContext, { limit }: Infer<typeof LIST>): Rows<RoomFacts> {
  const all = [...hub.rooms.all()].sort((a, b) => b.userCount - a.userCount || (a.key < b.key ? -1 : 1));
  const rows = all.slice(0, limit ?? DEFAULT_ROWS).map((room) => ({
    room: room.name,
    users: room.userCount,
    sessions: room.size,
    lastSeq: room.lastSeq,
    owner: ownerOf(room.state),
    topic: room.state.topic,
    bans: room.bans.rows(clock.nowMs()).length,
  }));
  return { total: all.length, rows };
}

/** The oldest first. */
export function sessions({ sessions: all, clock }: AdminContext, { limit }: Infer<typeof LIST>): Rows<SessionFacts> {
  const nowMs = clock.monotonicMs();
  // A set keeps the order in which they came.
  const rows = [...all].slice(0, limit ?? DEFAULT_ROWS).map((session) => session.facts(nowMs));
  return { total: all.size, rows };
}
