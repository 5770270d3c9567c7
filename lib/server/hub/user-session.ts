import { BcastError } from '../../errors.ts';
import { encodeEvent } from '../../protocol/codec.ts';
import type { Event, Fingerprint } from '../../protocol/messages.ts';
import { Held } from './held.ts';
import type { Member } from './member.ts';
import type { Outbox } from './ports.ts';
import type { Room } from './room.ts';
import type { User } from './user.ts';

/**
 * Messages of one session that may be on their way to the store, and their bodies in UTF-16 units. More wait, and then
 * the connection is not read: what all sessions together have under way must fit into memory.
 */
const MAX_UNSETTLED = 1_024;
const MAX_UNSETTLED_UNITS = 262_144;

export interface SessionOptions {
  readonly token: string;
  readonly fp: Fingerprint;
  readonly address: string;
  readonly outbox: Outbox;
}

/** A session as the hub knows it: whose it is, where it is, and where its messages go. */
export class UserSession {
  /** Its own on this node. */
  readonly token: string;
  readonly user: User;
  /** Its own identity: one user may come with several. */
  readonly fp: Fingerprint;
  readonly address: string;
  readonly outbox: Outbox;
  readonly rooms = new Map<Room, Member>();
  isGone = false;
  /** Of all its messages, wherever they went. */
  readonly held = new Held();
  /** Its messages that the store has not answered yet. */
  #unsettled = 0;
  #unsettledUnits = 0;
  #whenSettled: (() => void) | undefined;

  constructor(user: User, { token, fp, address, outbox }: SessionOptions) {
    this.token = token;
    this.user = user;
    this.fp = fp;
    this.address = address;
    this.outbox = outbox;
  }

  /** Whether so much of it is on the way to the store that no more should be taken for now. */
  get isSaturated(): boolean {
    return this.#unsettled >= MAX_UNSETTLED || this.#unsettledUnits >= MAX_UNSETTLED_UNITS;
  }

  get isSettled(): boolean {
    return this.#unsettled === 0;
  }

  /** Resolves when the store has answered all it was given for this session. One caller at a time. */
  settled(): Promise<void> {
    if (this.isSettled) return Promise.resolve();
    return new Promise((resolve) => {
      this.#whenSettled = resolve;
    });
  }

  /** A message with a body of so many UTF-16 units is on its way to the store. */
  expect(bodyUnits: number): void {
    this.#unsettled += 1;
    this.#unsettledUnits += bodyUnits;
  }

  /** The store has answered it. */
  settle(bodyUnits: number): void {
    this.#unsettled -= 1;
    this.#unsettledUnits -= bodyUnits;
    if (this.#unsettled > 0 || this.#whenSettled === undefined) return;
    this.#whenSettled();
    this.#whenSettled = undefined;
  }

  tell(event: Event): void {
    this.outbox.send(encodeEvent(event), 1);
  }

  /**
   * What it must hear though it has not asked. A session that is too far behind is ended instead: otherwise others could
   * fill its queue without bounds, and to leave this out would leave it with a wrong idea of itself.
   */
  inform(event: Event): void {
    if (this.outbox.isHopeless) this.outbox.end(new BcastError('SLOW_READER'));
    else this.tell(event);
  }

  ok(req: number): void {
    this.tell({ type: 'ok', req, seq: null, ts: null });
  }
}
