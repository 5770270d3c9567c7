import { DEFAULT_PORT, DEFAULT_ROOM, MAX_BODY_BYTES, MAX_NAME_CHARS } from '../limits.ts';
import {
  bytes,
  choice,
  duration,
  fingerprint,
  flag,
  integer,
  list,
  network,
  type OptionKind,
  text,
  word,
} from './kinds.ts';
import { redisUrl } from './redis-url.ts';

export interface Option<T> {
  /** As on the command line, without the dashes; its environment name is BCAST_ and this in capitals. */
  readonly name: string;
  readonly env: string;
  readonly kind: OptionKind<T>;
  /** Absent when the option may be left unset. */
  readonly fallback: T | undefined;
  readonly help: string;
  /** Whether a running server takes a new value. */
  readonly live: boolean;
  /** Its value is shown to nobody. */
  readonly isSecret?: true;
  /** It has no flag: everybody on a machine can read the command lines of the others. */
  readonly isFlagless?: true;
}

/** What `bcast start` understands. */
export const SERVER_OPTIONS = {
  host: option('host', text('ADDRESS'), '127.0.0.1', 'Address to listen on; 0.0.0.0 for every IPv4 address.'),
  port: option('port', integer(0, 65_535), DEFAULT_PORT, 'Port to listen on; 0 picks a free one.'),
  reusePort: option('reuse-port', flag(), false, 'Share the port with other servers of this machine (Linux).'),
  trustedProxies: live(
    'trusted-proxies',
    list(network()),
    [],
    'Addresses and networks of proxies that send a PROXY header (v2).',
  ),
  publicStatus: live(
    'public-status',
    choice('full', 'name', 'none'),
    'full',
    'What bcast status tells anybody: counts too, the name, or nothing.',
  ),
  dataDir: option('data-dir', text('DIR'), undefined, 'Where key and store are kept. Default: the XDG data directory.'),
  store: option(
    'store',
    choice('sqlite', 'memory'),
    'sqlite',
    'sqlite: a file, for good; memory: until the server stops.',
  ),
  storeSync: option(
    'store-sync',
    choice('second', 'always'),
    'second',
    'When the disk must have a message: within a second, or always before it is acknowledged.',
  ),
  redisUrl: option('redis-url', redisUrl(), undefined, 'Keep everything in this Redis, shared with other servers.'),
  redisPasswordFile: option('redis-password-file', text('FILE'), undefined, 'File that holds the password of Redis.'),
  redisCa: option('redis-ca', text('FILE'), undefined, 'Certificates (PEM) to trust Redis by. Default: those of Node.'),
  redisWait: option('redis-wait', integer(0, 16), 0, 'Replicas that must have a message before it is acknowledged.'),
  redisTimeout: option('redis-timeout', duration(), 2_000, 'Time for Redis to answer; then it counts as lost.'),
  redisPrefix: option('redis-prefix', word(), 'bcast', 'What all keys in Redis begin with.'),
  historyMessages: option('history-messages', integer(0, 1_000_000), 10_000, 'Messages kept for each room.'),
  historyAge: option('history-age', duration(), 30 * 86_400_000, 'How long a message is kept.'),
  auth: live(
    'auth',
    choice('open', 'accounts'),
    'open',
    'open: anybody under any name that is free; accounts: registered users only.',
  ),
  loginAttempts: live(
    'login-attempts',
    integer(1, 1_000_000),
    5,
    'Wrong passwords from one address in a window; then it is shut out.',
  ),
  loginWindow: live('login-window', duration(), 600_000, 'That window.'),
  codeGuesses: live(
    'code-guesses',
    integer(1, 1_000_000),
    5,
    'Wrong room codes from one address or key in a window, ten times as many from all.',
  ),
  codeWindow: live('code-window', duration(), 600_000, 'That window.'),
  maxNamesPerKey: live('max-names-per-key', integer(0, 100_000), 5, 'Names that one key may register.'),
  admins: live('admins', list(fingerprint()), [], 'Fingerprints of the identities that may do everything.'),
  motd: live('motd', text('TEXT'), undefined, 'A line shown to everybody who connects.'),
  logLevel: live('log-level', choice('trace', 'debug', 'info', 'warn', 'error', 'silent'), 'info', 'How much to log.'),
  logFormat: option('log-format', choice('auto', 'pretty', 'json'), 'auto', 'auto: pretty on a terminal, else JSON.'),
  maxConnections: live('max-connections', integer(1, 1_000_000), 10_000, 'Connections in total.'),
  maxConnectionsPerAddress: live(
    'max-connections-per-address',
    integer(1, 1_000_000),
    200,
    'Connections from one address.',
  ),
  maxSessionsPerUser: live(
    'max-sessions-per-user',
    integer(1, 10_000),
    5,
    'Sessions of one user; 1 refuses a second login.',
  ),
  maxRoomsPerUser: live('max-rooms-per-user', integer(1, 100_000), 50, 'Rooms one user may be in, and may keep.'),
  maxMembersPerRoom: live('max-members-per-room', integer(1, 1_000_000), 10_000, 'Sessions in one room.'),
  maxRooms: live('max-rooms', integer(1, 10_000_000), 100_000, 'Rooms in total.'),
  maxNameLength: live(
    'max-name-length',
    integer(1, MAX_NAME_CHARS),
    MAX_NAME_CHARS,
    'Longest user name, in characters.',
  ),
  maxRoomNameLength: live(
    'max-room-name-length',
    integer(DEFAULT_ROOM.length, MAX_NAME_CHARS),
    MAX_NAME_CHARS,
    'Longest name of a new room, in characters.',
  ),
  maxBodyBytes: live('max-body-bytes', bytes(1, MAX_BODY_BYTES), 16_384, 'Largest message body.'),
  messagesPerSecond: live(
    'messages-per-second',
    integer(1, 1_000_000_000),
    2_000,
    'Messages a user may send for long.',
  ),
  messageBurst: live('message-burst', integer(1, 1_000_000_000), 4_000, 'Messages a user may send at once.'),
  bytesPerSecond: live('bytes-per-second', bytes(1, 1e12), 1_048_576, 'Bytes a user may send for long.'),
  byteBurst: live('byte-burst', bytes(1, 1e12), 4_194_304, 'Bytes a user may send at once.'),
  connectAttempts: live(
    'connect-attempts',
    integer(1, 1_000_000_000),
    20,
    'Connections one address may open in a window.',
  ),
  connectWindow: live('connect-window', duration(), 15_000, 'That window.'),
  handshakeTimeout: live('handshake-timeout', duration(), 10_000, 'Time to finish the handshake and say hello.'),
  idleTimeout: live('idle-timeout', duration(), 90_000, 'A connection that sends nothing for so long is closed.'),
  pingInterval: live('ping-interval', duration(), 20_000, 'How often clients are asked to show that they are there.'),
  slowReaderTimeout: live(
    'slow-reader-timeout',
    duration(),
    30_000,
    'A client that reads nothing for so long is closed.',
  ),
  sendQueueBytes: live('send-queue-bytes', bytes(65_536, 1e12), 4_194_304, 'What may wait for one slow client.'),
  sendQueueMessages: live(
    'send-queue-messages',
    integer(16, 1e9),
    50_000,
    'Messages that may wait for one slow client.',
  ),
  emptyRoomTtl: live('empty-room-ttl', duration(), 600_000, 'How long a room outlives its last member.'),
  drainTimeout: live('drain-timeout', duration(), 5_000, 'Time to send what is queued when shutting down.'),
} as const satisfies Record<string, Option<unknown>>;

/** What the verbs that talk to a server share. Their other flags stand in their own files under cli/. */
export const CLIENT_OPTIONS = {
  server: option(
    'server',
    text('URL'),
    undefined,
    'The server: bcast://HOST[:PORT][/ROOM][?fp=SHA256:...][&code=...].',
  ),
  user: option('user', text('NAME'), undefined, 'Your name. Default: the one used last, or else the account.'),
  room: option('room', text('ROOM'), DEFAULT_ROOM, 'The room to be in.'),
  passwordFile: option('password-file', text('FILE'), undefined, 'A file with the password of your registered name.'),
  password: secret('password', 'PASSWORD', 'That password itself. A file that only you can read is a better place.'),
  codeFile: option('code-file', text('FILE'), undefined, 'A file with the code of the room, if that is locked.'),
  code: secret('code', 'CODE', 'That code itself; it may also stand in the URL (&code=...).'),
  fingerprint: option('fingerprint', fingerprint(), undefined, 'The only server identity to accept.'),
  acceptNew: option(
    'accept-new',
    flag(),
    false,
    'Trust a server that is not known yet; a changed key is still refused.',
  ),
  suite: option('suite', integer(1, 4), 4, 'Encryption suite to offer; docs/PROTOCOL.md lists them.'),
} as const satisfies Record<string, Option<unknown>>;

type Value<O> = O extends Option<infer T> ? T : never;
type Values<T extends Record<string, Option<unknown>>> = {
  readonly [K in keyof T]: T[K]['fallback'] extends undefined ? Value<T[K]> | undefined : Value<T[K]>;
};
export type ServerOptions = Values<typeof SERVER_OPTIONS>;
export type ClientOptions = Values<typeof CLIENT_OPTIONS>;

function option<T, const F extends T | undefined>(
  name: string,
  kind: OptionKind<T>,
  fallback: F,
  help: string,
): Option<T> & { readonly fallback: F; readonly live: false } {
  return { name, env: `BCAST_${name.replaceAll('-', '_').toUpperCase()}`, kind, fallback, help, live: false };
}

/** An option of which a running server takes a new value. */
function live<T, const F extends T | undefined>(
  name: string,
  kind: OptionKind<T>,
  fallback: F,
  help: string,
): Option<T> & { readonly fallback: F; readonly live: true } {
  return { ...option(name, kind, fallback, help), live: true };
}

function secret(name: string, placeholder: string, help: string): Option<string> & { readonly fallback: undefined } {
  return { ...option(name, text(placeholder), undefined, help), isSecret: true, isFlagless: true };
}
