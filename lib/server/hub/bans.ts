import { BcastError } from '../../errors.ts';
import type { BanRow, Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, toUserName, type UserName } from '../../protocol/names.ts';
import { formatNetwork, isWithin, type Network, parseAddress, parseNetwork } from './address.ts';

/** A ban or a mute, as it is stored. */
export interface Ban {
  /** As the moderator wrote it. */
  readonly target: string;
  readonly by: UserName;
  readonly reason: string | null;
  /** Milliseconds since 1970; null: for good. */
  readonly untilMs: number | null;
  readonly nameKey: NameKey | null;
  readonly fps: readonly Fingerprint[];
  /** An address or a range of them, in its one form. */
  readonly network: string | null;
}

/** Whom a ban is for. */
export type Meant = Pick<Ban, 'nameKey' | 'fps' | 'network'>;

/** Whom a ban is compared with. */
export interface BanSubject {
  readonly nameKey: NameKey;
  /** All identities of the user. */
  readonly fps: readonly Fingerprint[];
  /** Null: it does not count. */
  readonly address: string | null;
}

/** The last moment a Date can say: a ban for longer than that is a ban until then. */
const MAX_TIME_MS = 8.64e15;

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const DOTTED = /^[\d.]+$/;
const COLONS_OR_SLASH = /[:/]/;

/** What a ban's target means; null when it is neither a name, an address, a range nor a fingerprint. */
export function parseTarget(target: string): Meant | null {
  if (FINGERPRINT.test(target)) return { fps: [target], nameKey: null, network: null };
  const network = parseNetwork(target);
  if (network !== null) return { network: formatNetwork(network), nameKey: null, fps: [] };
  // Looks like an address and is none: not to be taken for a name.
  if (COLONS_OR_SLASH.test(target) || (DOTTED.test(target) && target.split('.').length === 4)) return null;
  const name = toUserName(target);
  return name === null ? null : { nameKey: nameKey(name), fps: [], network: null };
}

/** The same for however a target may be written. */
export function targetKey(target: string): string {
  const meant = parseTarget(target);
  return meant?.fps[0] ?? meant?.network ?? meant?.nameKey ?? target;
}

/** The end of a ban that begins now. */
export function endOf(nowMs: number, durationMs: number): number {
  return Math.min(nowMs + durationMs, MAX_TIME_MS);
}

/** Bans or mutes of one room or of the network, ready to be compared. Never changes: a new list takes its place. */
export class Bans {
  readonly all: readonly Ban[];
  readonly #networks: ReadonlyMap<Ban, Network>;

  constructor(all: readonly Ban[] = []) {
    this.all = all;
    const networks = new Map<Ban, Network>();
    for (const ban of all) {
      const network = ban.network === null ? null : parseNetwork(ban.network);
      if (network !== null) networks.set(ban, network);
    }
    this.#networks = networks;
  }

  get isEmpty(): boolean {
    return this.all.length === 0;
  }

  current(nowMs: number): readonly Ban[] {
    return this.all.filter(({ untilMs }) => untilMs === null || untilMs > nowMs);
  }

  has(target: string, nowMs: number): boolean {
    return this.current(nowMs).some((ban) => targetKey(ban.target) === targetKey(target));
  }

  /** The list with this one, in the place of an older one of the same target, and without those that have ended. */
  with(ban: Ban, nowMs: number): readonly Ban[] {
    return [...this.without(ban.target, nowMs), ban];
  }

  without(target: string, nowMs: number): readonly Ban[] {
    return this.current(nowMs).filter((ban) => targetKey(ban.target) !== targetKey(target));
  }

  match(subject: BanSubject, nowMs: number): Ban | undefined {
    if (this.isEmpty) return undefined;
    return this.current(nowMs).find((ban) => this.#isMeant(ban, subject));
  }

  matchAddress(address: string, nowMs: number): Ban | undefined {
    if (this.isEmpty) return undefined;
    return this.current(nowMs).find((ban) => this.#isAddressMeant(ban, address));
  }

  rows(nowMs: number): BanRow[] {
    return this.current(nowMs).map(({ target, by, untilMs, reason }) => ({ target, by, untilMs, reason }));
  }

  #isMeant(ban: Ban, { nameKey: name, fps, address }: BanSubject): boolean {
    if (ban.nameKey === name || ban.fps.some((fp) => fps.includes(fp))) return true;
    return address !== null && this.#isAddressMeant(ban, address);
  }

  #isAddressMeant(ban: Ban, text: string): boolean {
    const network = this.#networks.get(ban);
    const address = network && parseAddress(text);
    return network !== undefined && address !== null && address !== undefined && isWithin(network, address);
  }
}

/** Whether the ban is for this one. */
export function isMeant(ban: Ban, subject: BanSubject): boolean {
  return new Bans([ban]).match(subject, Number.NEGATIVE_INFINITY) !== undefined;
}

const PLACES = {
  BANNED: 'banned from this server',
  ROOM_BANNED: 'banned from that room',
  MUTED: 'muted there',
} as const;

/** The refusal that a banned or muted user gets, with who and why in words; until when is for its client to say in its own way. */
export function banRefusal(code: keyof typeof PLACES, { by, reason, untilMs }: Ban): BcastError {
  const text = `You are ${PLACES[code]} (by ${by}${reason === null ? '' : `: ${reason}`}).`;
  return new BcastError(code, { text, untilMs: untilMs ?? undefined });
}
