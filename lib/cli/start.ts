import { networkInterfaces } from 'node:os';
import { systemClock } from '../clock.ts';
import type { Directories } from '../config/directories.ts';
import { type Environment, readEnvironment, readSources } from '../config/environment.ts';
import type { ServerConfig } from '../config/live-config.ts';
import { loadOptions } from '../config/load.ts';
import { adminSocketOf, announceLocalServer, type LocalServer, withdrawLocalServer } from '../config/local-server.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../config/options.ts';
import { BcastError } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { Ready } from '../server/server.ts';
import { listenForHangup } from './hangup.ts';
import { listenForStop } from './stop-signals.ts';
import { flagsOf, type Verb, type VerbInput } from './verb.ts';

/** `bcast start`: runs a server until it is asked to stop, and then exits 0. */
export const start: Verb = {
  args: [],
  flags: flagsOf(SERVER_OPTIONS),
  examples: [
    ['bcast start', `a server for this machine, on port ${SERVER_OPTIONS.port.fallback}`],
    ['bcast start --host 0.0.0.0 --port 7000', 'for everybody who can reach this machine'],
    ['bcast start --port 0 2>server.log', 'on any free port; the log in a file'],
  ],
  notes: `Prints one line on stdout, the URL to connect with; the log goes to stderr. SIGTERM and SIGINT end it in order,
a second one at once. SIGHUP, as bcast reload, reads the configuration again. Every option is also a variable:
--max-rooms is BCAST_MAX_ROOMS (see bcast config).`,
  async run({ flags }, { version }) {
    const environment = readEnvironment();
    const { directories } = environment;
    const read = (): ServerConfig => readConfig(flags, environment, version);
    const config = read();
    const [{ run }, log] = await Promise.all([import('../server/server.ts'), serverLog(config, environment.env)]);
    warnOfStore(flags, environment, log);
    const stop = listenForStop();
    let [withdraw, reload] = [(): void => undefined, (): unknown => undefined];
    const forgetHangup = listenForHangup({ onReload: () => attempt(reload), onTerminalGone: stop.stop });
    const onReady = (ready: Ready): void => {
      const { port, fingerprint, adminSocket } = ready;
      const url = `bcast://${connectHost(config.host)}:${port}?fp=${fingerprint}`;
      withdraw = announce({ url, host: config.host, port, fingerprint, adminSocket }, directories);
      reload = ready.reload;
      process.stdout.write(`${url}\n`);
    };
    const adminSocketOf = adminSockets(directories);
    try {
      await run(config, { log, signal: stop.signal, onReady, reread: read, adminSocketOf });
    } catch (error) {
      throw startFailure(error, config) ?? error;
    } finally {
      withdraw();
      forgetHangup();
      stop.release();
    }
    return 0;
  },
};

/** Throws CONFIG. */
function readConfig(flags: VerbInput['flags'], environment: Environment, version: string): ServerConfig {
  const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, readSources(flags, environment));
  return { ...values, dataDir: values.dataDir ?? environment.directories.data, serverName: `bcast ${version}` };
}

/** Both are named: one of them will not be used. */
function warnOfStore(flags: VerbInput['flags'], environment: Environment, log: Logger): void {
  const { values, origins } = loadOptions<ServerOptions>(SERVER_OPTIONS, readSources(flags, environment));
  if (values.redisUrl === undefined || origins.store === 'default') return;
  log.warn(
    { store: values.store },
    'redis-url is set: everything is kept in Redis, and the option store is not heeded',
  );
}

/** What goes wrong is in the log. */
function attempt(reload: () => unknown): void {
  try {
    reload();
  } catch {
    // The server goes on as it was.
  }
}

/** Where the admin socket belongs; Windows has no such sockets that would keep others out. */
function adminSockets(directories: Directories): ((port: number) => string) | undefined {
  return process.platform === 'win32' ? undefined : (port) => adminSocketOf(directories, { port, pid: process.pid });
}

/** Lets this account's clients find the server; returns what takes that back. Without it they only need to be told. */
function announce(
  ready: Pick<LocalServer, 'url' | 'host' | 'port' | 'fingerprint' | 'adminSocket'>,
  directories: Directories,
): () => void {
  const server = { ...ready, pid: process.pid, startedMs: systemClock.nowMs() };
  try {
    announceLocalServer(directories, server);
  } catch (error) {
    const { message } = error as Error;
    process.stderr.write(`bcast: clients on this machine will have to be given the URL: ${message}\n`);
  }
  return () => withdrawLocalServer(directories, server);
}

async function serverLog({ logLevel, logFormat }: ServerOptions, env: Readonly<Record<string, string | undefined>>) {
  const { createLogger, prettyDestination } = await import('../log.ts');
  const isPretty = logFormat === 'pretty' || (logFormat === 'auto' && process.stderr.isTTY);
  if (!isPretty) return createLogger(logLevel, process.stderr);
  const isColoured = process.stderr.isTTY && env['TERM'] !== 'dumb' && (env['NO_COLOR'] ?? '') === '';
  return createLogger(logLevel, await prettyDestination(process.stderr, isColoured));
}

const LISTEN_REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use, perhaps by another bcast. --port 0 takes a free one.',
  EACCES: 'is not yours to listen on; ports from 1024 up are.',
  EADDRNOTAVAIL: 'is no address of this machine. --host 0.0.0.0 takes all of them.',
  ENOTFOUND: 'is no address this machine knows.',
};

/** What the system said about the address or the data directory, for people; undefined for any other failure. */
function startFailure(error: unknown, { host, port }: ServerOptions): BcastError | undefined {
  const { code = '', path } = error as NodeJS.ErrnoException;
  if (path !== undefined) return new BcastError('CONFIG', { text: `${path} cannot be used (${code}).`, cause: error });
  const reason = LISTEN_REASONS[code];
  return reason === undefined
    ? undefined
    : new BcastError('LISTEN_FAILED', { text: `${host}:${port} ${reason}`, cause: error });
}

/** What others would call the address we listen on: for "all of them" the first that is not only this machine's. */
function connectHost(host: string): string {
  if (host !== '0.0.0.0' && host !== '::') return host.includes(':') ? `[${host}]` : host;
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  return outside?.address ?? '127.0.0.1';
}
