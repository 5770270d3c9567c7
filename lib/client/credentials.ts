import { BcastError } from '../errors.ts';
import { MAX_PASSWORD_BYTES } from '../limits.ts';
import { utf8Length } from '../protocol/text.ts';

/**
 * The password of a registered name: the text, or who is asked for it when the server wants one. What it is asked is why
 * the last attempt was refused (NAME_REGISTERED, AUTH_FAILED); null means that there will be none.
 */
export type PasswordSource = string | AskPassword;

type AskPassword = (refusal: BcastError) => Promise<string | null>;

/** What one client proves itself with beside its identity. The password leaves it in a hello and no other way. */
export class Credentials {
  readonly #ask: AskPassword | undefined;
  #password: string | null;
  #isAccepted = false;

  /** Throws USAGE for a password that no server would take. */
  constructor(source: PasswordSource | undefined) {
    this.#ask = typeof source === 'function' ? source : undefined;
    this.#password = typeof source === 'string' ? checked(source) : null;
  }

  get password(): string | null {
    return this.#password;
  }

  /** The hello was accepted. The identity belongs to the account now, so what somebody typed is not kept. */
  accept(): void {
    this.#isAccepted = true;
    if (this.#ask !== undefined) this.#password = null;
  }

  /** Asks the person. True: the next hello brings another password. */
  async ask(refusal: BcastError): Promise<boolean> {
    // After the first connection nobody waits for questions.
    if (this.#ask === undefined || this.#isAccepted) return false;
    const asking: Promise<string | null> = this.#ask(refusal);
    const answer = await asking;
    this.#password = answer === null ? null : checked(answer);
    return answer !== null;
  }
}

function checked(password: string): string {
  if (utf8Length(password) <= MAX_PASSWORD_BYTES) return password;
  throw new BcastError('USAGE', { text: `A password has at most ${MAX_PASSWORD_BYTES} bytes.` });
}
