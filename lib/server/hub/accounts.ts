import { BcastError } from '../../errors.ts';
import type { Fingerprint } from '../../protocol/messages.ts';
import { type NameKey, nameKey, toUserName, type UserName } from '../../protocol/names.ts';
import { utf8Length } from '../../protocol/text.ts';
import { accountKeeper } from './kept-rooms.ts';
import { changeList } from './lists.ts';
import type { Records, Secrets } from './ports.ts';

/** A registered name. */
export interface Account {
  readonly name: UserName;
  /** Identities that enter under it without a password, the newest last. */
  readonly fps: readonly Fingerprint[];
  /** A hash; null: only its identities enter. */
  readonly password: string | null;
  readonly isAdmin: boolean;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  readonly seenMs: number;
}

/** Shorter ones are guessed. */
const MIN_PASSWORD_BYTES = 8;

/** Identities of one account; a further one takes the place of the oldest. */
const MAX_IDENTITIES = 20;

/** Tries of a change that others make at the same time. */
const MAX_TRIES = 10;

/** The registered names, in the store. Knows who may change them as little as the store does: that is the gate's. */
export class Accounts {
  readonly #records: Records;
  readonly #secrets: Secrets;
  readonly #maxNamesPerKey: () => number;

  constructor(records: Records, secrets: Secrets, maxNamesPerKey: () => number) {
    this.#records = records;
    this.#secrets = secrets;
    this.#maxNamesPerKey = maxNamesPerKey;
  }

  async find(key: NameKey): Promise<Account | null> {
    const record = await this.#records.get('account', key);
    return record === null ? null : parseAccount(record.value);
  }

  /** In the order of their names. */
  async list(): Promise<Account[]> {
    const all: Account[] = [];
    for (let after: string | undefined; ; ) {
      const page = await this.#records.list('account', { limit: 500, ...(after !== undefined && { after }) });
      all.push(...page.map(({ value }) => parseAccount(value)));
      after = page.at(-1)?.key;
      if (after === undefined || page.length < 500) return all;
    }
  }

  /** Whether the password is the account's. Takes as long for one that has none, or for no account at all. */
  verify(account: Account | null, password: string): Promise<boolean> {
    return this.#secrets.verifyPassword(password, account?.password ?? null);
  }

  /** Throws NAME_REGISTERED, and BAD_REQUEST for a key that has too many names or a password that is too short. */
  async register(name: UserName, fp: Fingerprint | null, options: NewAccount): Promise<Account> {
    const { password, isAdmin, nowMs } = options;
    const hash = password === null ? null : await this.#hash(password);
    if (fp !== null) await this.#noteName(fp, nameKey(name));
    const fps = fp === null ? [] : [fp];
    const account = { name, fps, password: hash, isAdmin, createdMs: nowMs, seenMs: nowMs };
    if ((await this.#records.put('account', nameKey(name), account, { over: 0 })) !== null) return account;
    throw new BcastError('NAME_REGISTERED', { text: `The name ${name} is registered already.` });
  }

  /** Null when there is no such account. */
  async update(key: NameKey, change: (account: Account) => Account): Promise<Account | null> {
    for (let i = 0; i < MAX_TRIES; i += 1) {
      const record = await this.#records.get('account', key);
      if (record === null) return null;
      const account = change(parseAccount(record.value));
      if ((await this.#records.put('account', key, account, { over: record.version })) !== null) return account;
    }
    throw new BcastError('INTERNAL', { cause: new Error('an account is changed without end') });
  }

  async setPassword(key: NameKey, password: string): Promise<Account | null> {
    const hash = await this.#hash(password);
    return this.update(key, (account) => ({ ...account, password: hash }));
  }

  /** From now on the identity enters without a password. */
  addIdentity(key: NameKey, fp: Fingerprint): Promise<Account | null> {
    return this.update(key, (account) => {
      const fps = [...account.fps.filter((known) => known !== fp), fp].slice(-MAX_IDENTITIES);
      return { ...account, fps };
    });
  }

  /** False when there was no such account. */
  async remove(key: NameKey): Promise<boolean> {
    const account = await this.find(key);
    if (account === null) return false;
    for (const fp of account.fps) await this.#forgetName(fp, key);
    // Its rooms count for the keys they were kept with; whoever has the name next has kept none.
    await this.#records.remove('kept', accountKeeper(key));
    return this.#records.remove('account', key);
  }

  #hash(password: string): Promise<string> {
    if (utf8Length(password) < MIN_PASSWORD_BYTES) {
      throw new BcastError('BAD_REQUEST', { text: `A password has at least ${MIN_PASSWORD_BYTES} bytes.` });
    }
    return this.#secrets.hashPassword(password);
  }

  /** One key must not be able to take all names there are, not even in many sessions at once. */
  #noteName(fp: Fingerprint, key: NameKey): Promise<void> {
    return this.#changeNames(fp, (before) => {
      const names = before.filter((name) => name !== key);
      const most = this.#maxNamesPerKey();
      if (names.length < most) return [...names, key];
      throw new BcastError('BAD_REQUEST', {
        text: `Your key has ${most} registered names already; unregister one first.`,
      });
    });
  }

  #forgetName(fp: Fingerprint, key: NameKey): Promise<void> {
    return this.#changeNames(fp, (before) => before.filter((name) => name !== key));
  }

  #changeNames(fp: Fingerprint, change: (names: readonly string[]) => readonly string[]): Promise<void> {
    return changeList(this.#records, 'identity', fp, change);
  }
}

export interface NewAccount {
  readonly password: string | null;
  readonly isAdmin: boolean;
  readonly nowMs: number;
}

/** Throws INTERNAL for a record that is no account: it lets nobody in. */
function parseAccount(value: unknown): Account {
  const { name, fps, password, isAdmin, createdMs, seenMs } = (value ?? {}) as Record<string, unknown>;
  const isSound =
    typeof name === 'string' &&
    toUserName(name) !== null &&
    Array.isArray(fps) &&
    fps.every((fp) => typeof fp === 'string') &&
    (password === null || typeof password === 'string') &&
    typeof isAdmin === 'boolean' &&
    Number.isSafeInteger(createdMs) &&
    Number.isSafeInteger(seenMs);
  if (!isSound) throw new BcastError('INTERNAL', { cause: new Error('the store has an account that is none') });
  return value as Account;
}
