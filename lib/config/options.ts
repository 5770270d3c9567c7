import { DEFAULT_PORT, DEFAULT_ROOM, MAX_BODY_BYTES } from '../limits.ts';
import { bytes, choice, duration, fingerprint, flag, integer, list, type OptionKind, text, word } from './kinds.ts';
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
}

/** What `bcast start` understands. */
export const SERVER_OPTIONS = {
  host: option('host', text('ADDRESS'), '127.0.0.1', 'Address to listen on; 0.0.0.0 for every IPv4 address.'),
  port: option('port', integer(0, 65_535), DEFAULT_PORT, 'Port to listen on; 0 picks a free one.'),
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
  auth: option(
    'auth',
    choice('open', 'accounts'),
    'open',
    'open: anybody under any name that is free; accounts: registered users only.',
  ),
  loginAttempts: option(
    'login-attempts',
    integer(1, 1_000_000),
    5,
    'Wrong passwords from one address in a window; then it is shut out.',
  ),
  loginWindow: option('login-window', duration(), 600_000, 'That window.'),
  codeGuesses: option(
    'code-guesses',
    integer(1, 1_000_000),
    5,
    'Wrong room codes from one address or key in a window, ten times as many from all.',
  ),
  codeWindow: option('code-window', duration(), 600_000, 'That window.'),
  maxNamesPerKey: option('max-names-per-key', integer(0, 100_000), 5, 'Names that one key may register.'),
  admins: option('admins', list('FINGERPRINT'), [], 'Fingerprints of the identities that may do everything.'),
  motd: option('motd', text('TEXT'), undefined, 'A line shown to everybody who connects.', true),
  logLevel: option(
    'log-level',
    choice('trace', 'debug', 'info', 'warn', 'error', 'silent'),
    'info',
    'How much to log.',
  ),
  logFormat: option('log-format', choice('auto', 'pretty', 'json'), 'auto', 'auto: pretty on a terminal, else JSON.'),
  maxConnections: option('max-connections', integer(1, 1_000_000), 10_000, 'Connections in total.'),
  maxConnectionsPerAddress: option(
    'max-connections-per-address',
    integer(1, 1_000_000),
    200,
    'Connections from one address.',
  ),
  maxSessionsPerUser: option(
    'max-sessions-per-user',
    integer(1, 10_000),
    5,
    'Sessions of one user; 1 refuses a second login.',
  ),
  maxRoomsPerUser: option('max-rooms-per-user', integer(1, 100_000), 50, 'Rooms one session may be in.'),
  maxMembersPerRoom: option('max-members-per-room', integer(1, 1_000_000), 10_000, 'Sessions in one room.'),
  maxRooms: option('max-rooms', integer(1, 10_000_000), 100_000, 'Rooms in total.'),
  maxBodyBytes: option('max-body-bytes', bytes(1, MAX_BODY_BYTES), 16_384, 'Largest message body.'),
  messagesPerSecond: option(
    'messages-per-second',
    integer(1, 1_000_000_000),
    2_000,
    'Messages a user may send for long.',
  ),
  messageBurst: option('message-burst', integer(1, 1_000_000_000), 4_000, 'Messages a user may send at once.'),
  bytesPerSecond: option('bytes-per-second', bytes(1, 1e12), 1_048_576, 'Bytes a user may send for long.'),
  byteBurst: option('byte-burst', bytes(1, 1e12), 4_194_304, 'Bytes a user may send at once.'),
  connectAttempts: option(
    'connect-attempts',
    integer(1, 1_000_000_000),
    20,
    'Connections one address may open in a window.',
  ),
  connectWindow: option('connect-window', duration(), 15_000, 'That window.'),
  handshakeTimeout: option('handshake-timeout', duration(), 10_000, 'Time to finish the handshake and say hello.'),
  idleTimeout: option('idle-timeout', duration(), 90_000, 'A connection that sends nothing for so long is closed.'),
  slowReaderTimeout: option(
    'slow-reader-timeout',
    duration(),
    30_000,
    'A client that reads nothing for so long is closed.',
  ),
  sendQueueBytes: option('send-queue-bytes', bytes(65_536, 1e12), 4_194_304, 'What may wait for one slow client.'),
  sendQueueMessages: option(
    'send-queue-messages',
    integer(16, 1e9),
    50_000,
    'Messages that may wait for one slow client.',
  ),
  emptyRoomTtl: option('empty-room-ttl', duration(), 600_000, 'How long a room outlives its last member.'),
  drainTimeout: option('drain-timeout', duration(), 5_000, 'Time to send what is queued when shutting down.'),
} as const satisfies Record<string, Option<unknown>>;

/** What the verbs that talk to a server share. Their other flags stand in their own files under cli/. */
export const CLIENT_OPTIONS = {
  server: option('server', text('URL'), undefined, 'The server: bcast://HOST[:PORT][/ROOM][?fp=SHA256:...].'),
  user: option('user', text('NAME'), undefined, 'Your name. Default: the one used last, or else the account.'),
  room: option('room', text('ROOM'), DEFAULT_ROOM, 'The room to be in.'),
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
  live = false,
): Option<T> & { readonly fallback: F } {
  return { name, env: `BCAST_${name.replaceAll('-', '_').toUpperCase()}`, kind, fallback, help, live };
}
