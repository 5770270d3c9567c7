import { BcastError } from '../../errors.ts';
import type { BanRow, Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, toUserName, type UserName } from '../../protocol/names.ts';

export interface Ban {
  /** As the moderator wrote it. */
  readonly target: string;
  readonly by: UserName;
  readonly reason: string | null;
  /** Milliseconds since 1970; null: for good. */
  readonly untilMs: number | null;
  readonly nameKey: NameKey | null;
  readonly fp: Fingerprint | null;
  readonly address: string | null;
}

/** Whom a ban is compared with. */
export interface BanSubject {
  readonly nameKey: NameKey;
  readonly fp: Fingerprint;
  readonly address: string;
}

/** The last moment a Date can say: a ban for longer than that is a ban until then. */
const MAX_TIME_MS = 8.64e15;

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const IPV6 = /^[0-9a-f:]*:[0-9a-f:.]*$/i;
const MAPPED_IPV4 = /^::ffff:([0-9a-f]+):([0-9a-f]+)$/;

/** What a ban's target means; null when it is neither a name, an address nor a fingerprint. */
export function parseTarget(target: string): Pick<Ban, 'nameKey' | 'fp' | 'address'> | null {
  if (FINGERPRINT.test(target)) return { fp: target, nameKey: null, address: null };
  if (IPV4.test(target) || IPV6.test(target)) {
    const address = plainAddress(target);
    return address === null ? null : { address, nameKey: null, fp: null };
  }
  const name = toUserName(target);
  return name === null ? null : { nameKey: nameKey(name), fp: null, address: null };
}

/** The end of a ban that begins now. */
export function endOf(nowMs: number, durationMs: number): number {
  return Math.min(nowMs + durationMs, MAX_TIME_MS);
}

/** An address in the one form in which transports give it, since it is compared as text; null when it is none. */
function plainAddress(text: string): string | null {
  const host = text.includes(':') ? `[${text}]` : text;
  const url = URL.parse(`http://${host}/`);
  if (url === null) return null;
  if (!text.includes(':')) return url.hostname === text ? text : null;
  const address = url.hostname.slice(1, -1);
  const [, high, low] = MAPPED_IPV4.exec(address) ?? [];
  if (high === undefined || low === undefined) return address;
  return [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 0xff]).join('.');
}

/** The bans of one room or of the network. Those that have ended are forgotten as they are met. */
export class Bans {
  readonly #bans = new Map<string, Ban>();

  /** Takes the place of an older ban of the same target. */
  add(ban: Ban): void {
    this.#bans.set(keyOf(ban.target), ban);
  }

  has(target: string): boolean {
    return this.#bans.has(keyOf(target));
  }

  /** False when there was no such ban. */
  remove(target: string): boolean {
    return this.#bans.delete(keyOf(target));
  }

  match(subject: BanSubject, nowMs: number): Ban | undefined {
    return this.#current(nowMs).find((ban) => isMeant(ban, subject));
  }

  matchAddress(address: string, nowMs: number): Ban | undefined {
    return this.#current(nowMs).find((ban) => ban.address === address);
  }

  rows(nowMs: number): BanRow[] {
    return this.#current(nowMs).map(({ target, by, untilMs, reason }) => ({ target, by, untilMs, reason }));
  }

  #current(nowMs: number): Ban[] {
    for (const [key, { untilMs }] of this.#bans) if (untilMs !== null && untilMs <= nowMs) this.#bans.delete(key);
    return [...this.#bans.values()];
  }
}

/** Whether the ban is for this one. */
export function isMeant(
  ban: Pick<Ban, 'nameKey' | 'fp' | 'address'>,
  { nameKey: name, fp, address }: BanSubject,
): boolean {
  return ban.nameKey === name || ban.fp === fp || ban.address === address;
}

/** The same for however a target may be written. */
function keyOf(target: string): string {
  const { nameKey: name, fp, address } = parseTarget(target) ?? { nameKey: null, fp: null, address: null };
  return fp ?? address ?? name ?? target;
}

/** The refusal a banned user gets, with who and why in words; until when is for its client to say in its own way. */
export function banRefusal(code: 'BANNED' | 'ROOM_BANNED', { by, reason, untilMs }: Ban): BcastError {
  const where = code === 'BANNED' ? 'this server' : 'that room';
  const text = `You are banned from ${where} (by ${by}${reason === null ? '' : `: ${reason}`}).`;
  return new BcastError(code, { text, untilMs: untilMs ?? undefined });
}
