import type { Clock } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import type { Fingerprint } from '../../protocol/messages.ts';
import { originOf } from './address.ts';
import { Failures } from './failures.ts';
import type { Backplane } from './ports.ts';
import type { Room } from './room.ts';
import { subjectOf } from './user.ts';
import type { UserSession } from './user-session.ts';

export interface GuessLimits {
  /** Wrong codes that one address, and one identity, may give in a window. */
  readonly codeGuesses: number;
  /** Milliseconds. */
  readonly codeWindow: number;
}

/** A room takes so many times as many wrong codes as one address does: from whole botnets at once no more than that. */
const ROOM_FACTOR = 10;

/** Identities that a room remembers to have given its code. */
const MAX_KNOWN = 10_000;

/**
 * Keeps the 36^5 codes of a locked room out of reach of guessing: with the defaults of 5 in 10 minutes one address needs
 * 115,000 years for half of them, and all addresses of the world together more than ten. Who has been in before is not held
 * up by others who guess. All nodes of a network count together.
 */
export class CodeGuesses {
  readonly #failures: Failures;
  readonly #limits: GuessLimits;
  readonly #backplane: Pick<Backplane, 'tellAll' | 'tellRoom'>;

  constructor(clock: Clock, limits: GuessLimits, backplane: Pick<Backplane, 'tellAll' | 'tellRoom'>) {
    this.#failures = new Failures(clock);
    this.#limits = limits;
    this.#backplane = backplane;
  }

  /** Throws BAD_CODE, unheard, while too many were wrong. */
  check(room: Room, session: UserSession): void {
    const { codeGuesses: most } = this.#limits;
    const { fp, address } = session;
    const spent = [originOf(address), fp].filter((who) => this.#failures.of(`${who} ${room.key}`) >= most);
    if (!isKnown(room, session) && this.#failures.of(room.key) >= most * ROOM_FACTOR) spent.push('');
    if (spent.length === 0) return;
    const waits = spent.map((who) => this.#failures.forgottenInMs(who === '' ? room.key : `${who} ${room.key}`));
    const retryAfterMs = Math.max(...waits);
    throw new BcastError('BAD_CODE', {
      text: `Too many wrong codes for ${room.name}; none is taken for ${Math.ceil(retryAfterMs / 1_000)} s.`,
      retryAfterMs,
    });
  }

  /** A wrong code was given. */
  fail(room: Room, { fp, address }: UserSession): void {
    const keys = [`${originOf(address)} ${room.key}`, `${fp} ${room.key}`, room.key];
    this.hear(keys);
    this.#backplane.tellAll({ type: 'failed', at: 'code', keys });
  }

  /** The right one was given. */
  pass(room: Room, { fp }: UserSession): void {
    if (room.known.has(fp)) return;
    this.know(room, fp);
    this.#backplane.tellRoom(room.key, { type: 'known', fp });
  }

  /** A wrong code was given, on whatever node. */
  hear(keys: readonly string[]): void {
    this.#failures.add(keys, this.#limits.codeWindow);
  }

  /** The right one was, on whatever node. */
  know(room: Room, fp: Fingerprint): void {
    if (room.known.size < MAX_KNOWN) room.known.add(fp);
  }
}

/** Who made or rules the room, who has read in it, which outlives a restart, and who has given its code lately. */
function isKnown(room: Room, { fp, user }: UserSession): boolean {
  return room.known.has(fp) || room.roleOf(user) !== 'member' || room.marks.has(subjectOf(user));
}
