import { type Clock, systemClock } from '../clock.ts';
import type { ServerOptions } from '../config/options.ts';
import { BcastError } from '../errors.ts';
import { MAX_MOTD_BYTES } from '../limits.ts';
import type { Logger } from '../log.ts';
import { utf8Length } from '../protocol/text.ts';
import { createBindingCache } from '../wire/crypto/identity.ts';
import { createNativeCrypto } from '../wire/crypto/native.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import { Admission } from './admission.ts';
import { Hub } from './hub/hub.ts';
import type { Turn } from './hub/ports.ts';
import { listen } from './listener.ts';
import { checkNetwork } from './network-key.ts';
import { type Keeping, openKeeping } from './open-store.ts';
import { createSecrets } from './secrets.ts';
import { loadServerKey, type ServerKey } from './server-key.ts';
import { startHeartbeat } from './session/heartbeat.ts';
import { FlushList } from './session/send-queue.ts';
import type { Session } from './session/session.ts';
import { shutDown } from './shutdown.ts';
import { createTurnClock } from './turn-clock.ts';

/** Verified bindings that are remembered, at about 200 bytes each. */
const REMEMBERED_BINDINGS = 10_000;

export interface ServerConfig extends ServerOptions {
  readonly dataDir: string;
  /** For people: the program and its version. */
  readonly serverName: string;
}

export interface RunOptions {
  readonly log: Logger;
  /** Ends the server in an orderly way. */
  readonly signal: AbortSignal;
  /** The server takes connections. */
  readonly onReady: (ready: Ready) => void;
  readonly clock?: Clock;
}

export interface Ready {
  /** The port really listened on. */
  readonly port: number;
  readonly fingerprint: string;
  /** The key was made just now. */
  readonly isNewKey: boolean;
}

/** Runs a server until `signal` says stop; resolves when everybody has been told and the store is closed. */
export async function run(config: ServerConfig, options: RunOptions): Promise<void> {
  checkMotd(config.motd);
  const { log, clock: baseClock = systemClock } = options;
  const crypto = createNativeCrypto();
  const key = loadServerKey(config.dataDir, crypto);
  const clock = createTurnClock(baseClock, setImmediate);
  const keeping = await openKeeping(config, { clock, log, crypto });
  try {
    if (!keeping.backplane.isAlone) await checkNetwork(keeping.store, key.identity.fingerprint, config.dataDir);
    await serve(config, options, { crypto, key, clock, keeping });
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

async function serve(
  config: ServerConfig,
  { log, signal, onReady }: RunOptions,
  { crypto, key: { identity, codeKey, isNew }, clock, keeping }: Foundation,
): Promise<void> {
  const flushList = new FlushList(setImmediate);
  const turn: Turn = { atEnd: (callback) => void setImmediate(callback), flush: () => flushList.flush() };
  const { admins, motd, serverName } = config;
  const hub = new Hub({
    store: keeping.store,
    backplane: keeping.backplane,
    secrets: createSecrets(crypto, codeKey),
    clock,
    turn,
    log,
    limits: config,
    admins,
    motd,
    serverName,
  });
  keeping.attach(hub);
  await hub.start();
  const sessions = new Set<Session>();
  const bindings = createBindingCache(REMEMBERED_BINDINGS);
  const context = { hub, crypto, identity, bindings, clock, log, limits: config, flushList, nextTurn: setImmediate };
  const admission = new Admission(config, clock, (address) => hub.addressRefusal(address));
  const listener = await listen({ host: config.host, port: config.port, admission, context, sessions, log });
  const stopHeartbeat = startHeartbeat(sessions, clock, config);
  const { port } = listener;
  const { host, redisUrl, store } = config;
  const { fingerprint } = identity;
  log.info({ host, port, fingerprint, crypto: crypto.name, store: redisUrl === undefined ? store : 'redis' }, 'ready');
  onReady({ port, fingerprint, isNewKey: isNew });
  await aborted(signal);
  log.info({ sessions: sessions.size }, 'shutting down');
  stopHeartbeat();
  const answered = () => hub.publisher.idle();
  await shutDown({ listener, sessions, answered, clock, drainTimeoutMs: config.drainTimeout });
  await hub.stop();
}

/** Throws CONFIG for a line that would not fit into the message that carries it. */
function checkMotd(motd: string | undefined): void {
  if (motd === undefined || utf8Length(motd) <= MAX_MOTD_BYTES) return;
  throw new BcastError('CONFIG', { text: `The motd is longer than ${MAX_MOTD_BYTES} bytes.` });
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
