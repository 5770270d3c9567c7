import { type Clock, systemClock } from '../clock.ts';
import { LiveConfig, type Reloaded, type ServerConfig } from '../config/live-config.ts';
import { toBcastError } from '../errors.ts';
import type { Logger } from '../log.ts';
import { createBindingCache } from '../wire/crypto/identity.ts';
import { createNativeCrypto } from '../wire/crypto/native.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import { type AdminSocket, openAdminSocket } from './admin/admin-socket.ts';
import { answerLine } from './admin/answer.ts';
import type { AdminContext } from './admin/context.ts';
import { Admission } from './admission.ts';
import { Hub } from './hub/hub.ts';
import type { Turn } from './hub/ports.ts';
import { listen } from './listener.ts';
import { checkNetwork } from './network-key.ts';
import { type Keeping, openKeeping } from './open-store.ts';
import { TrustedProxies } from './proxy/trusted-proxies.ts';
import { createSecrets } from './secrets.ts';
import { loadServerKey, type ServerKey } from './server-key.ts';
import { startHeartbeat } from './session/heartbeat.ts';
import { FlushList } from './session/send-queue.ts';
import type { Session } from './session/session.ts';
import { shutDown } from './shutdown.ts';
import { createTurnClock } from './turn-clock.ts';

/** Verified bindings that are remembered, at about 200 bytes each. */
const REMEMBERED_BINDINGS = 10_000;

export interface RunOptions {
  readonly log: Logger;
  /** Ends the server in an orderly way. */
  readonly signal: AbortSignal;
  /** The server takes connections. */
  readonly onReady: (ready: Ready) => void;
  readonly clock?: Clock;
  /** Reads the configuration again, for a reload. Throws CONFIG. Without it, it never changes. */
  readonly reread?: () => ServerConfig;
  /** Where the admin socket of a server on this port belongs; without it there is none. */
  readonly adminSocketOf?: ((port: number) => string) | undefined;
}

export interface Ready {
  /** The port really listened on. */
  readonly port: number;
  readonly fingerprint: string;
  /** The key was made just now. */
  readonly isNewKey: boolean;
  /** The path of the admin socket; null where there is none. */
  readonly adminSocket: string | null;
  /** Reads the configuration again and takes over what a running server can. Throws CONFIG, and then nothing changed. */
  reload(): Reloaded;
}

/** Runs a server until `signal` says stop; resolves when everybody has been told and the store is closed. */
export async function run(config: ServerConfig, options: RunOptions): Promise<void> {
  const live = new LiveConfig(config);
  const { log, clock: baseClock = systemClock } = options;
  const crypto = createNativeCrypto();
  const key = loadServerKey(config.dataDir, crypto);
  const clock = createTurnClock(baseClock, setImmediate);
  const keeping = await openKeeping(config, { clock, log, crypto });
  try {
    if (!keeping.backplane.isAlone) await checkNetwork(keeping.store, key.identity.fingerprint, config.dataDir);
    await serve(live, options, { crypto, key, clock, keeping });
  } finally {
    await keeping.store.close();
  }
  log.info('stopped');
}

interface Foundation {
  readonly crypto: CryptoProvider;
  readonly key: ServerKey;
  readonly clock: Clock;
  readonly keeping: Keeping;
}

async function serve(live: LiveConfig, options: RunOptions, foundation: Foundation): Promise<void> {
  const { log } = options;
  const { crypto, clock, keeping } = foundation;
  const { codeKey } = foundation.key;
  // One object for all: whoever reads it at each use sees what a reload changes.
  const limits = live.values;
  const flushList = new FlushList(setImmediate);
  const turn: Turn = { atEnd: (callback) => void setImmediate(callback), flush: () => flushList.flush() };
  const hub = new Hub({
    store: keeping.store,
    backplane: keeping.backplane,
    secrets: createSecrets(crypto, codeKey),
    clock,
    turn,
    log,
    limits,
    settings: limits,
    serverName: limits.serverName,
  });
  keeping.attach(hub);
  await hub.start();
  try {
    await receive(live, hub, options, { ...foundation, flushList });
  } finally {
    await hub.stop();
  }
}

interface Running extends Foundation {
  readonly flushList: FlushList;
}

/** Listens, and serves whoever comes until it is asked to stop. */
async function receive(live: LiveConfig, hub: Hub, options: RunOptions, running: Running): Promise<void> {
  const { log, signal, onReady, adminSocketOf } = options;
  const { crypto, clock, flushList } = running;
  const { identity, isNew } = running.key;
  const limits = live.values;
  const sessions = new Set<Session>();
  const bindings = createBindingCache(REMEMBERED_BINDINGS);
  const context = { hub, crypto, identity, bindings, clock, log, limits, flushList, nextTurn: setImmediate };
  const admission = new Admission(limits, clock, (address) => hub.addressRefusal(address));
  const proxies = new TrustedProxies(limits);
  const listener = await listen({ config: limits, admission, proxies, limits, context, sessions, log });
  const stopHeartbeat = startHeartbeat(sessions, clock, limits);
  const { port } = listener;
  const { fingerprint } = identity;
  const reload = (): Reloaded => reloadLive(live, options, hub);
  const admin = await openAdmin({ hub, sessions, clock, config: limits, port, fingerprint, reload }, adminSocketOf);
  const { host, redisUrl } = limits;
  const store = redisUrl === undefined ? limits.store : 'redis';
  log.info({ host, port, fingerprint, crypto: crypto.name, store }, 'ready');
  onReady({ port, fingerprint, isNewKey: isNew, adminSocket: admin?.path ?? null, reload });
  await aborted(signal);
  log.info({ sessions: sessions.size }, 'shutting down');
  stopHeartbeat();
  const answered = () => hub.publisher.idle();
  await shutDown({ listener, sessions, answered, clock, drainTimeoutMs: limits.drainTimeout });
  admin?.close();
}

/** A server can do its work without being asked how it is; it must be said, though. */
async function openAdmin(
  context: AdminContext,
  adminSocketOf: RunOptions['adminSocketOf'],
): Promise<AdminSocket | undefined> {
  if (adminSocketOf === undefined) return undefined;
  const { hub, clock, port } = context;
  const path = adminSocketOf(port);
  try {
    return await openAdminSocket({ path, clock, answer: (line) => answerLine(context, line) });
  } catch (error) {
    hub.log.warn({ path, err: error }, 'there is no admin socket');
    return undefined;
  }
}

function reloadLive(live: LiveConfig, { log, reread = () => live.values }: RunOptions, hub: Hub): Reloaded {
  let reloaded: Reloaded;
  try {
    reloaded = live.reload(reread());
  } catch (error) {
    log.error(`reload refused, nothing has changed: ${toBcastError(error).message}`);
    throw error;
  }
  hub.recheckAdmins();
  // Said at the level that lets it through, before the change or after it.
  const isHeard = log.isLevelEnabled('info');
  if (isHeard) log.info(reloaded, 'reloaded');
  log.level = live.values.logLevel;
  if (!isHeard) log.info(reloaded, 'reloaded');
  return reloaded;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
