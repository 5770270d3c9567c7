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

const FINGERPRINT = /^SHA256:[A-Za-z0-9+/]{43}$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const IPV6 = /^[0-9a-f:]*:[0-9a-f:.]*$/i;

/** What a ban's target means; null when it is neither a name, an address nor a fingerprint. */
export function parseTarget(target: string): Pick<Ban, 'nameKey' | 'fp' | 'address'> | null {
  if (FINGERPRINT.test(target)) return { fp: target, nameKey: null, address: null };
  if (IPV4.test(target) || IPV6.test(target)) return { address: target.toLowerCase(), nameKey: null, fp: null };
  const name = toUserName(target);
  return name === null ? null : { nameKey: nameKey(name), fp: null, address: null };
}

/** The bans of one room or of the network. Those that have ended are forgotten as they are met. */
export class Bans {
  readonly #bans = new Map<string, Ban>();

  add(ban: Ban): void {
    this.#bans.set(ban.target.toLowerCase(), ban);
  }

  /** False when there was no such ban. */
  remove(target: string): boolean {
    return this.#bans.delete(target.toLowerCase());
  }

  match({ nameKey: name, fp, address }: BanSubject, nowMs: number): Ban | undefined {
    return this.#current(nowMs).find((ban) => ban.nameKey === name || ban.fp === fp || ban.address === address);
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

/** The refusal a banned user gets, with who, why and until when. */
export function banRefusal(code: 'BANNED' | 'ROOM_BANNED', { by, reason, untilMs }: Ban): BcastError {
  const until = untilMs === null ? '' : ` until ${new Date(untilMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const where = code === 'BANNED' ? 'this server' : 'that room';
  const text = `You are banned from ${where}${until} (by ${by}${reason === null ? '' : `: ${reason}`}).`;
  return new BcastError(code, { text, untilMs: untilMs ?? undefined });
}
