import { messagePrefix } from '../../protocol/envelope.ts';
import type { Role } from '../../protocol/messages.ts';
import { Held } from './held.ts';
import type { Room } from './room.ts';
import type { UserSession } from './user-session.ts';

/** A session in a room. */
export class Member {
  readonly session: UserSession;
  readonly room: Room;
  #prefix: Uint8Array | undefined;
  #held: Held | undefined;

  constructor(session: UserSession, room: Room) {
    this.session = session;
    this.room = room;
  }

  /** The encoded front of its messages; made at the first one, since most members of a large room only listen. */
  get prefix(): Uint8Array {
    const { user, fp } = this.session;
    this.#prefix ??= messagePrefix({ room: this.room.name, from: user.name, fp });
    return this.#prefix;
  }

  /** Of its messages to the room, what the store did not take; made at the first one, too. */
  get held(): Held {
    this.#held ??= new Held();
    return this.#held;
  }

  /** To be called when the user's name has changed. */
  forgetPrefix(): void {
    this.#prefix = undefined;
  }

  get role(): Role {
    return this.room.roleOf(this.session.user);
  }
}
