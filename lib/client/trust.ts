import type { LocalServer } from '../config/local-server.ts';
import { BcastError } from '../errors.ts';
import { addressKey, type ServerAddress } from './address.ts';
import type { ServerIdentity } from './events.ts';
import { addKnownServer, findKnownServer } from './known-servers.ts';

/** How a client decides whether it talks to the right server. */
export interface TrustPolicy {
  /** The only fingerprint to accept, wherever it came from; overrides all that follows. */
  readonly fingerprint?: string | undefined;
  /** The file of known servers; without it none are known and none are remembered. */
  readonly knownServers?: string | undefined;
  /** Servers this account runs on this machine. */
  readonly localServers?: readonly LocalServer[] | undefined;
  /** Accept and remember a server that is not known yet. */
  readonly acceptNew?: boolean | undefined;
  /** Asks the person whether to accept and remember a server that is not known yet. */
  readonly ask?: ((address: string, fingerprint: string) => Promise<boolean>) | undefined;
}

/** Why the server at `address` with that fingerprint is trusted. Throws SERVER_CHANGED or SERVER_UNKNOWN when it is not. */
export async function decideTrust(
  policy: TrustPolicy,
  address: ServerAddress,
  fingerprint: string,
): Promise<ServerIdentity['trust']> {
  const key = addressKey(address);
  const pinned = policy.fingerprint ?? address.fingerprint;
  if (pinned !== undefined) {
    if (pinned === fingerprint) return 'pinned';
    throw changed(`${key} has the key ${fingerprint}, but ${pinned} was demanded.`);
  }
  if (isLocal(policy, address, fingerprint)) return 'local';
  const known = policy.knownServers && findKnownServer(policy.knownServers, key);
  if (known && known.fingerprint === fingerprint) return 'known';
  if (known) {
    throw changed(
      `The key of ${key} has CHANGED from ${known.fingerprint} to ${fingerprint}. Either the server was set up anew or ` +
        `somebody is posing as it. If you are sure, remove line ${known.line} of ${policy.knownServers}.`,
    );
  }
  if (policy.acceptNew === true || (await policy.ask?.(key, fingerprint)) === true) {
    if (policy.knownServers !== undefined) addKnownServer(policy.knownServers, key, fingerprint);
    return 'accepted';
  }
  throw new BcastError('SERVER_UNKNOWN', {
    text: `${key} is not known yet; its fingerprint is ${fingerprint}. If that is right, add --fingerprint ${fingerprint}, or --accept-new to trust it from now on.`,
  });
}

const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::'];

/** A server of this account at this port of this machine with this key: its own file says so. */
function isLocal({ localServers = [] }: TrustPolicy, { host, port }: ServerAddress, fingerprint: string): boolean {
  return localServers.some(
    (local) =>
      local.port === port &&
      local.fingerprint === fingerprint &&
      (local.host === host || (LOOPBACK.includes(host) && LOOPBACK.includes(local.host))),
  );
}

function changed(text: string): BcastError {
  return new BcastError('SERVER_CHANGED', { text });
}
