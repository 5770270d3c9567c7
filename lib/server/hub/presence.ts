import type { Clock } from '../../clock.ts';
import type { PresenceChange } from '../../protocol/messages.ts';
import { pages } from './pages.ts';
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
    const gathered = room.changes;
    room.changes = [];
    for (const changes of pages(gathered, ({ name, other, text }) => [name, other, text])) {
      room.tellWatchers({ type: 'presence', room: room.name, changes });
    }
    this.#turn.flush();
  }
}
