import { Cluster, Command, Redis } from 'ioredis';
import type { RedisAddress } from '../../config/redis-url.ts';
import { toRedisFailure } from './failure.ts';

export type Argument = string | number | Buffer;

/** A Lua script. Every Redis is given its text once and then called by its digest, also after it has forgotten it. */
export interface Script {
  readonly name: string;
  readonly lua: string;
}

export interface ConnectionOptions {
  readonly address: RedisAddress;
  /** How long an answer may take, in milliseconds; after three times as long the connection is given up. */
  readonly timeoutMs: number;
  readonly scripts: readonly Script[];
  /** In PEM: what to trust a server by instead of what the system trusts. */
  readonly ca?: string | undefined;
}

/**
 * Commands to Redis. Nothing waits for a connection: while there is none they reject at once. All rejections are
 * RedisFailure. A command that fails as `unavailable` is never sent again by itself, as it may have been done.
 */
export interface RedisConnection {
  readonly isCluster: boolean;
  /** Why the last attempt to connect failed, for people. */
  readonly lastError: string | undefined;
  /** Commands about keys of the same slot go to the same server. */
  slotOf(key: string): number;
  command(name: string, ...args: readonly Argument[]): Promise<unknown>;
  run(script: Script, keys: readonly string[], args: readonly Argument[]): Promise<unknown>;
  /**
   * Waits until so many replicas of the server that holds `key` have all that was written before, but no longer than
   * `timeoutMs`; answers how many have.
   */
  wait(key: string, replicas: number, timeoutMs: number): Promise<number>;
  /** Resolves when commands are taken; rejects for what no waiting mends: a wrong password or certificate. */
  ready(): Promise<void>;
  /** Told when a server was connected to, also again, and when one of a Cluster was lost: what it had may be gone. */
  onDisturbance(listener: () => void): void;
  /** What the server is called that a sharded channel belongs to; undefined while that is not known. */
  placeOf(channel: string): string | undefined;
  /** Asks a Cluster anew which server has what. */
  refresh(): Promise<void>;
  /** A connection of its own to that server, for channels alone. It does not come back by itself. */
  listenAt(place: string, listener: ChannelListener): Promise<Listening>;
  close(): void;
}

export interface ChannelListener {
  onMessage(channel: string, payload: Buffer): void;
  /** The connection is gone. */
  onLost(): void;
  /** Some channels have moved to another server. */
  onMoved(): void;
}

/** A connection that hears sharded channels of one server. */
export interface Listening {
  /** Resolves when the server has taken note; may be asked again, which shows that it still answers. */
  subscribe(channel: string): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  close(): void;
}

/** The longest pause between attempts to connect: a server that is back is found within it, in milliseconds. */
const MAX_RETRY_DELAY_MS = 1_000;
const CONNECT_TIMEOUT_FACTOR = 3;

/** What will not be better when it is tried again. */
const HOPELESS = /^(WRONGPASS|NOAUTH|NOPERM)\b|certificate/i;

/** Where there is no Cluster. */
const ONE_SERVER = '';

type Client = Redis | Cluster;
type ScriptCall = (...args: Argument[]) => Promise<unknown>;

/** Connects in the background and again whenever the connection is lost. This file alone knows ioredis. */
export function connectRedis(options: ConnectionOptions): RedisConnection {
  const client = createClient(options);
  // Each failed command says so itself; without a listener an error would end the process.
  let lastError: string | undefined;
  const keepError = (error: Error): void => {
    lastError = toRedisFailure(error).message;
  };
  client.on('error', keepError);
  client.on('node error', keepError);
  for (const { name, lua } of options.scripts) client.defineCommand(name, { lua });
  const scripts = client as unknown as Record<string, ScriptCall>;
  const together = createWriteTogether(client);
  return {
    isCluster: client.isCluster,
    get lastError() {
      return lastError;
    },
    slotOf: (key) => (client.isCluster ? (new Command('get', [key]).getSlot() ?? 0) : 0),
    command(name, ...args) {
      together();
      return client.call(name, ...args).catch(rethrow);
    },
    run({ name }, keys, args) {
      together();
      return (scripts[name] as ScriptCall)(keys.length, ...keys, ...args).catch(rethrow);
    },
    wait: (key, replicas, timeoutMs) => wait(client, key, replicas, timeoutMs).catch(rethrow),
    async ready() {
      const hopeless = Promise.withResolvers<never>();
      const listen = (error: Error): void => {
        if (HOPELESS.test(error.message)) hopeless.reject(toRedisFailure(error));
      };
      client.on('error', listen);
      client.on('node error', listen);
      const isReady =
        client.status === 'ready' || new Promise<void>((resolve) => client.once('ready', () => resolve()));
      try {
        await Promise.race([isReady, hopeless.promise]);
        await ping(client);
      } finally {
        client.off('error', listen);
        client.off('node error', listen);
      }
    },
    onDisturbance: (listener) => onDisturbance(client, listener),
    placeOf: (channel) =>
      client instanceof Cluster ? client.slots[new Command('get', [channel]).getSlot() ?? 0]?.[0] : ONE_SERVER,
    refresh: () => refresh(client).catch(rethrow),
    listenAt: (place, listener) => listenAt(client, place, listener).catch(rethrow),
    close: () => client.disconnect(),
  };
}

/** What is asked within one turn leaves in one write to each server: a write costs more than what most requests hold. */
function createWriteTogether(client: Client): () => void {
  let isCorked = false;
  return () => {
    if (isCorked) return;
    isCorked = true;
    const servers = client instanceof Cluster ? client.nodes('master') : [client];
    const streams = servers.flatMap(({ stream }) => stream ?? []);
    for (const stream of streams) stream.cork();
    process.nextTick(() => {
      isCorked = false;
      for (const stream of streams) stream.uncork();
    });
  };
}

async function wait(client: Client, key: string, replicas: number, timeoutMs: number): Promise<number> {
  // WAIT is about its own connection; a command with a key in front of it leads to the right one in a Cluster.
  const [found, waited] = (await client.pipeline().exists(key).wait(replicas, timeoutMs).exec()) ?? [];
  const error = found?.[0] ?? waited?.[0];
  if (error) throw error;
  return Number(waited?.[1]);
}

async function refresh(client: Client): Promise<void> {
  if (!(client instanceof Cluster)) return;
  await new Promise<void>((resolve, reject) =>
    client.refreshSlotsCache((error) => (error ? reject(error) : resolve())),
  );
}

async function listenAt(client: Client, place: string, listener: ChannelListener): Promise<Listening> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  const isThere = ({ options: { host, port } }: Redis) => place === ONE_SERVER || place === `${host}:${port}`;
  const server = servers.find(isThere);
  if (server === undefined) throw new Error('no server is known');
  const own = server.duplicate({
    lazyConnect: true,
    retryStrategy: () => null,
    autoResubscribe: false,
    connectionName: 'bcast channels',
  });
  own.on('error', () => undefined);
  own.on('smessageBuffer', (channel: Buffer, payload: Buffer) => listener.onMessage(channel.toString(), payload));
  own.on('moved', () => listener.onMoved());
  own.once('end', () => listener.onLost());
  await own.connect();
  return {
    subscribe: async (channel) => void (await own.ssubscribe(channel).catch(rethrow)),
    unsubscribe: async (channel) => void (await own.sunsubscribe(channel).catch(rethrow)),
    close: () => own.disconnect(),
  };
}

function onDisturbance(client: Client, listener: () => void): void {
  if (!(client instanceof Cluster)) {
    client.on('ready', listener);
    return;
  }
  // A Cluster has a connection for each server. One that is lost is not made again until somebody wants something there.
  client.on('+node', (server: Redis) => server.once('ready', listener));
  client.on('-node', listener);
}

async function ping(client: Client): Promise<void> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  if (servers.length === 0) throw new Error('no server is known');
  await Promise.all(servers.map((server) => server.ping()));
}

function rethrow(error: unknown): never {
  throw toRedisFailure(error);
}

function createClient(options: ConnectionOptions): Client {
  const { address, timeoutMs } = options;
  const common = commonOptions(options);
  const retryStrategy = (times: number) => Math.min(25 * 2 ** Math.min(times, 10), MAX_RETRY_DELAY_MS);
  if (address.kind === 'cluster') {
    const cluster = new Cluster([...address.hosts], {
      redisOptions: common,
      enableOfflineQueue: false,
      clusterRetryStrategy: retryStrategy,
      slotsRefreshTimeout: timeoutMs,
      // What was cut off may have been done: only its caller knows how to ask again.
      retryDelayOnFailover: 0,
      retryDelayOnClusterDown: 0,
      // Certificates are for names.
      ...(address.isTls ? { dnsLookup: (name, callback) => callback(null, name) } : {}),
    });
    // By itself it would connect with the first command, and refuse those that come before that is done.
    cluster.on('+node', (server: Redis) => {
      if (server.status === 'wait' && !server.options.readOnly) server.connect().catch(() => undefined);
    });
    return cluster;
  }
  const place =
    address.kind === 'sentinel'
      ? { sentinels: [...address.hosts], name: address.master, sentinelRetryStrategy: retryStrategy }
      : { ...address.hosts[0] };
  return new Redis({
    ...common,
    ...place,
    db: address.db,
    enableOfflineQueue: false,
    retryStrategy,
    // A server that was demoted: ask anew who rules.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  });
}

function commonOptions({ address, timeoutMs, ca }: ConnectionOptions) {
  const { username, password, isTls } = address;
  return {
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password: password() }),
    ...(isTls ? { tls: ca === undefined ? {} : { ca } } : {}),
    connectionName: 'bcast',
    commandTimeout: timeoutMs,
    connectTimeout: timeoutMs * CONNECT_TIMEOUT_FACTOR,
    socketTimeout: timeoutMs * CONNECT_TIMEOUT_FACTOR,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  };
}
