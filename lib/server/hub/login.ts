import type { Clock } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type UserName } from '../../protocol/names.ts';
import type { Account, Accounts } from './accounts.ts';
import { originOf } from './address.ts';
import { Failures } from './failures.ts';
import type { Backplane } from './ports.ts';
import { Turns } from './turns.ts';

export interface LoginLimits {
  /** `open`: any name that is free; `accounts`: registered names only. */
  readonly auth: 'open' | 'accounts';
  /** Wrong passwords from one address in a window; then it is banned for as long. */
  readonly loginAttempts: number;
  /** Milliseconds. */
  readonly loginWindow: number;
}

export interface LoginOptions {
  readonly accounts: Accounts;
  readonly clock: Clock;
  /** Read at each use. */
  readonly limits: LoginLimits;
  readonly backplane: Pick<Backplane, 'tellAll'>;
  readonly log: Logger;
}

/** Who says it is whom. */
export interface Claim {
  readonly name: UserName;
  readonly fp: Fingerprint;
  readonly address: string;
  readonly password: string | null;
}

/** The first wrong password is answered after so long, each further one after twice as long, up to the second figure; in ms. */
const FIRST_DELAY_MS = 250;
const MAX_DELAY_MS = 4_000;

/** Many addresses together may try so many times as many passwords of one name as one address does. */
const NAME_FACTOR = 10;

/** Addresses that are remembered for one account. */
const MAX_PROVEN = 100;

/** Passwords that are checked at the same time: each takes a core for a while and tens of megabytes. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 64;

/** New passwords that wait to be hashed, one at a time: whoever is in may set one again and again, and must keep nobody out. */
const MAX_SETTING = 16;

/** Decides whether somebody is who he says he is. All nodes of a network count wrong passwords together. */
export class Login {
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #limits: LoginLimits;
  readonly #log: Logger;
  readonly #failures: Failures;
  readonly #backplane: Pick<Backplane, 'tellAll'>;
  /** Addresses that an account was entered from: strangers' failures do not count against them. */
  readonly #proven = new Map<NameKey, Set<string>>();
  readonly #checks = new Turns(MAX_AT_ONCE, MAX_WAITING);
  readonly #settings = new Turns(1, MAX_SETTING);

  constructor({ accounts, clock, limits, backplane, log }: LoginOptions) {
    this.#accounts = accounts;
    this.#clock = clock;
    this.#limits = limits;
    this.#log = log;
    this.#failures = new Failures(clock);
    this.#backplane = backplane;
  }

  /**
   * The account that the claim is good for; null for a name that is free. Throws NAME_REGISTERED, AUTH_FAILED and
   * AUTH_REQUIRED. In accounts mode a name that does not exist cannot be told from one that does.
   */
  async authenticate(claim: Claim): Promise<Account | null> {
    const key = nameKey(claim.name);
    const account = await this.#accounts.find(key);
    if (account?.fps.includes(claim.fp)) return account;
    if (claim.password === null) return this.#withoutPassword(claim, account);
    const isOpenName = account === null && this.#limits.auth === 'open';
    if (isOpenName) throw new BcastError('AUTH_FAILED', { text: `The name ${claim.name} is not registered.` });
    await this.#checkPassword(claim, account, claim.password);
    return (await this.#accounts.addIdentity(key, claim.fp)) ?? this.#refuse(claim);
  }

  /** Until when an address that has failed too often is shut out, in ms from now; 0 when it is not. */
  shutOutMs(address: string): number {
    const origin = originOf(address);
    return this.#failures.of(origin) >= this.#limits.loginAttempts ? this.#failures.forgottenInMs(origin) : 0;
  }

  /** The addresses that are shut out, each with the time it lasts, in milliseconds. */
  shutOut(): readonly (readonly [address: string, forMs: number])[] {
    // The failures of a name are counted beside those of addresses.
    return [...this.#failures.atLeast(this.#limits.loginAttempts)].filter(([key]) => !key.startsWith('@'));
  }

  /** Forgets the failures of an address, on all nodes; false when it was not shut out. */
  letIn(address: string): boolean {
    if (this.shutOutMs(address) === 0) return false;
    this.hearLetIn(address);
    this.#backplane.tellAll({ type: 'letIn', address });
    return true;
  }

  /** The failures of an address were forgotten, on whatever node. */
  hearLetIn(address: string): void {
    this.#failures.clear(originOf(address));
  }

  /** A wrong password was given, on whatever node. */
  hearFailure(keys: readonly string[]): void {
    this.#failures.add(keys, this.#limits.loginWindow);
  }

  /** The right one was, on whatever node. */
  hearProof(key: NameKey, address: string): void {
    const origin = originOf(address);
    this.#failures.clear(origin);
    const proven = this.#proven.get(key) ?? new Set();
    this.#proven.set(key, proven.add(origin));
    if (proven.size > MAX_PROVEN) proven.delete(proven.values().next().value as string);
  }

  /** Does what hashes a new password when nobody else does. Rejects with SERVER_FULL when too many wait. */
  setInTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#settings.take(work, serverFull);
  }

  #withoutPassword({ name }: Claim, account: Account | null): null {
    if (this.#limits.auth === 'accounts') {
      throw new BcastError('AUTH_REQUIRED', {
        text: `This server is for registered users: ${name} needs a password, or a key that is known.`,
      });
    }
    if (account === null) return null;
    const way = account.password === null ? 'no password is set' : 'give the password';
    throw new BcastError('NAME_REGISTERED', { text: `The name ${name} is registered to another key (${way}).` });
  }

  async #checkPassword(claim: Claim, account: Account | null, password: string): Promise<void> {
    const { address, name } = claim;
    const key = nameKey(name);
    const verify = async (): Promise<boolean> => {
      // Not before: of many that come at once each waits for those in front.
      this.#checkAttempts(claim);
      const isRight = await this.#accounts.verify(account, password);
      if (!isRight) this.#noteFailure(claim);
      return isRight;
    };
    this.#checkAttempts(claim);
    if (!(await this.#checks.take(verify, serverFull))) await this.#refuse(claim);
    this.hearProof(key, address);
    this.#backplane.tellAll({ type: 'proved', key, address });
  }

  /** Throws BANNED for an address, and AUTH_FAILED for a name, with too many wrong passwords lately. */
  #checkAttempts({ address, name }: Claim): void {
    const shutOutMs = this.shutOutMs(address);
    if (shutOutMs > 0) {
      throw new BcastError('BANNED', { untilMs: this.#clock.nowMs() + shutOutMs, retryAfterMs: shutOutMs });
    }
    const key = nameKey(name);
    const isStranger = this.#proven.get(key)?.has(originOf(address)) !== true;
    if (!isStranger || this.#failures.of(`@${key}`) < this.#limits.loginAttempts * NAME_FACTOR) return;
    const retryAfterMs = this.#failures.forgottenInMs(`@${key}`);
    throw new BcastError('AUTH_FAILED', {
      text: `Too many wrong passwords were given for ${name}; come with a known key, or later.`,
      retryAfterMs,
    });
  }

  #noteFailure({ name, address }: Claim): void {
    const keys = [originOf(address), `@${nameKey(name)}`];
    this.hearFailure(keys);
    this.#backplane.tellAll({ type: 'failed', at: 'login', keys });
    if (this.#failures.of(originOf(address)) !== this.#limits.loginAttempts) return;
    this.#log.warn({ address, user: name, forMs: this.shutOutMs(address) }, 'shut out: wrong passwords');
  }

  /** The later, the more often it was wrong. */
  async #refuse({ address }: Claim): Promise<never> {
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (this.#failures.of(originOf(address)) - 1));
    await new Promise<void>((resolve) => this.#clock.after(delayMs, resolve));
    throw new BcastError('AUTH_FAILED');
  }
}

function serverFull(): BcastError {
  return new BcastError('SERVER_FULL', { retryAfterMs: 5_000 });
}
