import type { Clock } from '../../clock.ts';
import { MAX_LIST_ROWS } from '../../limits.ts';
import type { PresenceChange } from '../../protocol/messages.ts';
import type { Turn } from './ports.ts';
import type { Room } from './room.ts';

/** Above this many watchers changes are gathered: telling each of n members of each join would cost n². */
const SMALL_ROOM_WATCHERS = 50;
const GATHER_MS = 250;

/** Tells the watchers of a room who came, went, changed name or is away, many changes in one message. */
export class Presence {
  readonly #turn: Turn;
  readonly #clock: Clock;

  constructor(turn: Turn, clock: Clock) {
    this.#turn = turn;
    this.#clock = clock;
  }

  announce(room: Room, change: PresenceChange): void {
    if (room.watcherCount === 0) return;
    room.changes.push(change);
    if (room.changes.length > 1) return;
    if (room.watcherCount <= SMALL_ROOM_WATCHERS) this.#turn.atEnd(() => this.#tell(room));
    else this.#clock.after(GATHER_MS, () => this.#tell(room));
  }

  #tell(room: Room): void {
    const changes = room.changes;
    room.changes = [];
    for (let start = 0; start < changes.length; start += MAX_LIST_ROWS) {
      room.tellWatchers({ type: 'presence', room: room.name, changes: changes.slice(start, start + MAX_LIST_ROWS) });
    }
    this.#turn.flush();
  }
}
