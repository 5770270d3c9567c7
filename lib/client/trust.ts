import type { LocalServer } from '../config/local-server.ts';
import { BcastError } from '../errors.ts';
import { addressKey, type ServerAddress } from './address.ts';
import type { ServerIdentity } from './events.ts';
import { addKnownServer, findKnownServer, type KnownServer } from './known-servers.ts';

/** How a client decides whether it talks to the right server. */
export interface TrustPolicy {
  /** The only fingerprint to accept, wherever it came from; overrides all that follows. */
  readonly fingerprint?: string | undefined;
  /** The file of known servers; without it none are known and none are remembered. */
  readonly knownServers?: string | undefined;
  /** Servers this account runs on this machine; a function is called anew for each connection. */
  readonly localServers?: readonly LocalServer[] | (() => readonly LocalServer[]) | undefined;
  /** Accept and remember a server that is not known yet. */
  readonly acceptNew?: boolean | undefined;
  /**
   * Asks the person whether to accept and remember a server that is not known yet. It may take as long as it takes: the
   * connection is closed meanwhile and made again after a yes.
   */
  readonly ask?: ((address: string, fingerprint: string) => Promise<boolean>) | undefined;
}

type Trust = ServerIdentity['trust'];

/** What one client holds of its server, over all its connections. Nothing of ours is revealed before it has decided. */
export class Trustee {
  readonly #policy: TrustPolicy;
  readonly #address: ServerAddress;
  readonly #key: string;
  /** What this client has trusted already, and why. */
  #accepted: { readonly fingerprint: string; readonly trust: Trust } | undefined;

  constructor(policy: TrustPolicy, address: ServerAddress) {
    this.#policy = policy;
    this.#address = address;
    this.#key = addressKey(address);
  }

  /** Of the server as it was trusted last; empty before that. */
  get fingerprint(): string {
    return this.#accepted?.fingerprint ?? '';
  }

  /** Why the server with that fingerprint is trusted. Throws SERVER_CHANGED, SERVER_UNKNOWN, or CONFIG. */
  decide(fingerprint: string): Trust {
    const trust =
      this.#pinned(fingerprint) ?? this.#local(fingerprint) ?? this.#known(fingerprint) ?? this.#new(fingerprint);
    this.#accepted = { fingerprint, trust };
    return trust;
  }

  /** Asks about a server that `decide` did not know. True: the next connection to it will be trusted. */
  async ask(fingerprint: string): Promise<boolean> {
    // After the first connection nobody waits for questions, and an unknown server there is another one.
    if (this.#accepted !== undefined || this.#policy.ask === undefined) return false;
    if (!(await this.#policy.ask(this.#key, fingerprint))) return false;
    this.#remember(fingerprint);
    this.#accepted = { fingerprint, trust: 'accepted' };
    return true;
  }

  #pinned(fingerprint: string): Trust | undefined {
    const pins = [this.#policy.fingerprint, this.#address.fingerprint].filter((pin) => pin !== undefined);
    for (const pin of pins) {
      if (pin === fingerprint) continue;
      throw changed(`${this.#key} has the key ${fingerprint}, but ${pin} was demanded.`);
    }
    return pins.length > 0 ? 'pinned' : undefined;
  }

  #local(fingerprint: string): Trust | undefined {
    const { localServers = [] } = this.#policy;
    const list = typeof localServers === 'function' ? localServers() : localServers;
    return list.some((local) => isAt(local, this.#address) && local.fingerprint === fingerprint) ? 'local' : undefined;
  }

  #known(fingerprint: string): Trust | undefined {
    // What was accepted in this run is already in the file, and was not known before.
    if (this.#accepted?.fingerprint === fingerprint) return this.#accepted.trust;
    const { knownServers } = this.#policy;
    const known = knownServers === undefined ? undefined : findKnownServer(knownServers, this.#key);
    if (known !== undefined) return this.#compare(known, fingerprint);
    if (this.#accepted === undefined) return undefined;
    throw changed(`The key of ${this.#key} has CHANGED from ${this.#accepted.fingerprint} to ${fingerprint}.`);
  }

  #compare(known: KnownServer, fingerprint: string): Trust {
    if (known.fingerprint === fingerprint) return 'known';
    throw changed(
      `The key of ${this.#key} has CHANGED from ${known.fingerprint} to ${fingerprint}. Either the server was set up anew ` +
        `or somebody is posing as it. If you are sure, remove line ${known.line} of ${this.#policy.knownServers}.`,
    );
  }

  #new(fingerprint: string): Trust {
    if (this.#policy.acceptNew !== true) {
      throw new BcastError('SERVER_UNKNOWN', {
        text: `${this.#key} is not known yet; its fingerprint is ${fingerprint}. If that is right, add --fingerprint ${fingerprint}, or --accept-new to trust it from now on.`,
      });
    }
    this.#remember(fingerprint);
    return 'accepted';
  }

  /** Throws SERVER_CHANGED when another process has just accepted another key for the same address. */
  #remember(fingerprint: string): void {
    const { knownServers } = this.#policy;
    if (knownServers === undefined) return;
    const known = addKnownServer(knownServers, this.#key, fingerprint);
    if (known !== undefined) this.#compare(known, fingerprint);
  }
}

const ANY: readonly string[] = ['0.0.0.0', '::'];
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost', ...ANY];

/** Whether `address` is where that server of this machine listens. */
function isAt(local: LocalServer, { host, port }: ServerAddress): boolean {
  if (local.port !== port) return false;
  return local.host === host || ANY.includes(local.host) || (LOOPBACK.includes(host) && LOOPBACK.includes(local.host));
}

function changed(text: string): BcastError {
  return new BcastError('SERVER_CHANGED', { text });
}
