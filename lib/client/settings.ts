import { type Clock, systemClock } from '../clock.ts';
import { readEnvironment } from '../config/environment.ts';
import { localServers } from '../config/local-server.ts';
import { BcastError } from '../errors.ts';
import { requireOwnName, type UserName } from '../protocol/names.ts';
import { utf8Length } from '../protocol/text.ts';
import { createNativeCrypto } from '../wire/crypto/native.ts';
import { ALL_SUITES, DEFAULT_SUITE, suiteOf } from '../wire/suites.ts';
import { connectTcp } from '../wire/transport/tcp.ts';
import type { Transport } from '../wire/transport/transport.ts';
import { addressKey, parseServerUrl, type ServerAddress } from './address.ts';
import type { ConnectOptions } from './client.ts';
import { Credentials } from './credentials.ts';
import type { ClientEvent } from './events.ts';
import { loadIdentity } from './identity-file.ts';
import type { LinkOptions } from './link.ts';
import { type ProfileFiles, profileFiles } from './profile.ts';
import { DEFAULT_RECONNECT, type ReconnectPolicy } from './reconnect.ts';
import { Trustee, type TrustPolicy } from './trust.ts';

const MAX_AGENT_BYTES = 64;

/** Options with every default filled in. */
export interface Settings {
  readonly name: UserName;
  readonly link: LinkOptions;
  readonly reconnect: ReconnectPolicy | null;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onFirstWait: ((error: BcastError) => void) | undefined;
  readonly onEvent: ((event: ClientEvent) => void) | undefined;
}

/** Throws USAGE, NAME_INVALID and SUITE_UNSUPPORTED for what cannot be, CONFIG for an identity file that cannot be used. */
export function resolveOptions(options: ConnectOptions): Settings {
  const { server, user, suite = DEFAULT_SUITE, clock = systemClock, agent = 'bcast' } = options;
  const address = typeof server === 'string' ? parseServerUrl(server) : server;
  const name = user ?? address.user;
  if (name === undefined)
    throw new BcastError('USAGE', { text: 'A name is needed: give `user`, or bcast://NAME@HOST.' });
  if (suiteOf(suite) === undefined) {
    throw new BcastError('SUITE_UNSUPPORTED', {
      text: `There is no encryption suite ${suite}, only ${ALL_SUITES.join(', ')}.`,
    });
  }
  if (utf8Length(agent) > MAX_AGENT_BYTES) throw new BcastError('USAGE', { text: '`agent` is longer than 64 bytes.' });
  const crypto = options.crypto ?? createNativeCrypto();
  const { directories } = readEnvironment();
  const files = profileFiles(directories);
  return {
    name: requireOwnName(name),
    clock,
    random: options.random ?? Math.random,
    reconnect: options.reconnect === undefined ? DEFAULT_RECONNECT : options.reconnect,
    onFirstWait: options.onFirstWait,
    onEvent: options.onEvent,
    link: {
      address,
      crypto,
      identity: options.identity ?? loadIdentity(files.identity, crypto),
      suite,
      trustee: new Trustee(options.trust ?? accountTrust(files, () => localServers(directories)), address),
      credentials: new Credentials(options.password),
      clock,
      agent,
      openTransport: options.openTransport ?? ((at, signal) => openTcp(at, signal, clock)),
    },
  };
}

/** What this account trusts when nothing else is said. */
function accountTrust({ knownServers }: ProfileFiles, servers: () => ReturnType<typeof localServers>): TrustPolicy {
  return { knownServers, localServers: servers };
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nobody listens there.',
  ENOTFOUND: 'there is no host of that name.',
  EAI_AGAIN: 'the name could not be looked up.',
  ETIMEDOUT: 'there was no answer.',
  EHOSTUNREACH: 'there is no way to that host.',
  ENETUNREACH: 'there is no way to that network.',
  ECONNRESET: 'the other end cut the connection.',
};

/** Connects. Rejects with CONNECT_FAILED, which says why in words. */
export async function openTcp(address: ServerAddress, signal: AbortSignal, clock: Clock): Promise<Transport> {
  try {
    return await connectTcp({ host: address.host, port: address.port, signal, clock });
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException;
    const text = `${addressKey(address)} could not be reached: ${REASONS[code ?? ''] ?? `${code ?? 'no reason given'}.`}`;
    throw new BcastError('CONNECT_FAILED', { text, cause: error });
  }
}
