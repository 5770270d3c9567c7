import type { Clock } from '../../clock.ts';
import { BcastError } from '../../errors.ts';
import type { Logger } from '../../log.ts';
import type { Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, type UserName } from '../../protocol/names.ts';
import type { Account, Accounts } from './accounts.ts';
import { Failures } from './failures.ts';

export interface LoginLimits {
  /** `open`: any name that is free; `accounts`: registered names only. */
  readonly auth: 'open' | 'accounts';
  /** Wrong passwords from one address in a window; then it is banned for as long. */
  readonly loginAttempts: number;
  /** Milliseconds. */
  readonly loginWindow: number;
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

/** Passwords that are checked at the same time: each takes a core for a while and tens of megabytes. */
const MAX_AT_ONCE = 2;
const MAX_WAITING = 64;

/** Decides whether somebody is who he says he is. */
export class Login {
  readonly #accounts: Accounts;
  readonly #clock: Clock;
  readonly #limits: LoginLimits;
  readonly #log: Logger;
  readonly #failures: Failures;
  /** Addresses that an account was entered from: strangers' failures do not count against them. */
  readonly #proven = new Map<NameKey, Set<string>>();
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(accounts: Accounts, clock: Clock, limits: LoginLimits, log: Logger) {
    this.#accounts = accounts;
    this.#clock = clock;
    this.#limits = limits;
    this.#log = log;
    this.#failures = new Failures(clock);
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
    return (await this.#accounts.addIdentity(key, claim.fp)) ?? this.#fail(claim);
  }

  /** Until when an address that has failed too often is shut out, in ms from now; 0 when it is not. */
  shutOutMs(address: string): number {
    const { loginAttempts } = this.#limits;
    return this.#failures.of(address) >= loginAttempts ? this.#failures.forgottenInMs(address) : 0;
  }

  /** The addresses that are shut out, each with the time it lasts, in milliseconds. */
  shutOut(): readonly (readonly [address: string, forMs: number])[] {
    // The failures of a name are counted beside those of addresses.
    return [...this.#failures.atLeast(this.#limits.loginAttempts)].filter(([key]) => !key.startsWith('@'));
  }

  /** Forgets the failures of an address; false when it was not shut out. */
  letIn(address: string): boolean {
    return this.shutOutMs(address) > 0 && this.#failures.clear(address);
  }

  /** Does what hashes a password when few others do. Throws SERVER_FULL when too many wait. */
  async hashInTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running >= MAX_AT_ONCE) {
      if (this.#waiting.length >= MAX_WAITING) throw new BcastError('SERVER_FULL', { retryAfterMs: 5_000 });
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    try {
      return await work();
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
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
    const isStranger = this.#proven.get(key)?.has(address) !== true;
    if (isStranger && this.#failures.of(`@${key}`) >= this.#limits.loginAttempts * NAME_FACTOR) {
      const retryAfterMs = this.#failures.forgottenInMs(`@${key}`);
      throw new BcastError('AUTH_FAILED', {
        text: `Too many wrong passwords were given for ${name}; come with a known key, or later.`,
        retryAfterMs,
      });
    }
    if (!(await this.hashInTurn(() => this.#accounts.verify(account, password)))) await this.#fail(claim);
    this.#failures.clear(address);
    const proven = this.#proven.get(key) ?? new Set();
    this.#proven.set(key, proven.add(address));
    if (proven.size > 100) proven.delete(proven.values().next().value as string);
  }

  async #fail({ name, address }: Claim): Promise<never> {
    const { loginAttempts, loginWindow } = this.#limits;
    const failures = this.#failures.add(address, loginWindow);
    this.#failures.add(`@${nameKey(name)}`, loginWindow);
    if (failures === loginAttempts) {
      this.#log.warn(
        { address, user: name, forMs: this.#failures.forgottenInMs(address) },
        'shut out: wrong passwords',
      );
    }
    const delayMs = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (failures - 1));
    await new Promise<void>((resolve) => this.#clock.after(delayMs, resolve));
    throw new BcastError('AUTH_FAILED');
  }
}
