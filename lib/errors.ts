/** Who is at fault: the other end, the person at the keyboard, or ourselves. */
type ErrorScope = 'peer' | 'usage' | 'internal';

interface ErrorRow {
  readonly scope: ErrorScope;
  /** The number that travels in an `error` message; null for errors that never leave this process. */
  readonly wire: number | null;
  /** Whether the connection on which it happens is closed. */
  readonly close: boolean;
  /** Whether trying again unchanged may succeed; a permanent refusal is never retried. */
  readonly retry: boolean;
  /** The exit code of a command that ends because of it. */
  readonly exit: number;
  /** For people. Programs match on the code or the number. */
  readonly message: string;
}

/** The one table of errors; docs/ERRORS.md mirrors it and a test keeps them equal. */
export const ERRORS = {
  BAD_FRAME: row('peer', 1001, true, false, 1, 'The other end broke the framing rules.'),
  BAD_MESSAGE: row('peer', 1002, true, false, 1, 'The other end sent a message that is not valid.'),
  HANDSHAKE_FAILED: row('peer', 1003, true, false, 3, 'The encrypted connection could not be set up.'),
  VERSION_UNSUPPORTED: row('peer', 1004, true, false, 13, 'Client and server speak different protocol versions.'),
  SUITE_UNSUPPORTED: row('peer', 1005, true, false, 13, 'Client and server share no encryption suite.'),
  HANDSHAKE_TIMEOUT: row('peer', 1006, true, true, 3, 'The handshake took too long.'),
  IDLE_TIMEOUT: row('peer', 1007, true, true, 3, 'Nothing was heard from the other end for too long.'),
  SLOW_READER: row('peer', 1008, true, true, 1, 'This client read nothing for too long.'),
  SERVER_SHUTDOWN: row('peer', 1009, true, true, 3, 'The server is shutting down.'),
  MESSAGE_TOO_LARGE: row('peer', 1010, false, false, 11, 'The message is too large.'),
  NOT_READY: row('peer', 1011, true, false, 1, 'A request came before the hello was accepted.'),
  BAD_REQUEST: row('peer', 1012, false, false, 1, 'The request makes no sense here.'),
  UNAVAILABLE: row('peer', 1013, false, true, 3, 'The storage of the server is out of reach just now.'),
  INTERNAL: row('internal', 1099, false, true, 1, 'The server could not do that; its log says why.'),

  SERVER_FULL: row('peer', 2001, true, true, 8, 'The server is full.'),
  ADDRESS_FULL: row('peer', 2002, true, true, 8, 'Too many connections from this address.'),
  TOO_MANY_ATTEMPTS: row('peer', 2003, true, true, 8, 'Too many connection attempts from this address.'),
  BANNED: row('peer', 2004, true, false, 7, 'You are banned from this server.'),
  NAME_IN_USE: row('peer', 2005, true, false, 5, 'That name is in use.'),
  NAME_INVALID: row('peer', 2006, true, false, 5, 'That is not a valid name.'),
  TOO_MANY_SESSIONS: row('peer', 2007, true, false, 5, 'That name is connected from too many places.'),
  KICKED: row('peer', 2008, true, false, 7, 'You were removed from this server.'),

  NAME_REGISTERED: row('peer', 2009, true, false, 5, 'That name is registered to somebody else.'),
  AUTH_FAILED: row('peer', 2010, true, false, 4, 'That is not the key or the password of this user.'),
  AUTH_REQUIRED: row('peer', 2011, true, false, 4, 'This server is for registered users only.'),

  SLOW_DOWN: row('peer', 3001, false, true, 11, 'Slow down.'),

  BAD_CODE: row('peer', 4001, false, false, 4, 'That is not the code of this room.'),
  ROOM_NAME_INVALID: row('peer', 4002, false, false, 2, 'That is not a valid room name.'),
  NO_SUCH_ROOM: row('peer', 4003, false, false, 1, 'There is no such room.'),
  NOT_A_MEMBER: row('peer', 4004, false, false, 11, 'You are not in that room.'),
  ROOM_FULL: row('peer', 4005, false, false, 8, 'That room is full.'),
  TOO_MANY_ROOMS: row('peer', 4006, false, false, 8, 'You are in too many rooms.'),
  NO_SUCH_USER: row('peer', 4007, false, false, 11, 'There is nobody by that name here.'),
  NOT_ALLOWED: row('peer', 4008, false, false, 1, 'You may not do that here.'),
  ROOM_BANNED: row('peer', 4009, false, false, 7, 'You are banned from that room.'),
  NOT_DELIVERED: row('peer', 4011, false, false, 11, 'The message could not be delivered.'),
  ROOM_KICKED: row('peer', 4010, false, false, 7, 'You were removed from that room.'),
  ROOM_EXISTS: row('peer', 4012, false, false, 1, 'That room is there already.'),
  MUTED: row('peer', 4013, false, false, 11, 'You may not speak here.'),

  USAGE: row('usage', null, false, false, 2, 'The command was not understood.'),
  CONNECT_FAILED: row('peer', null, true, true, 3, 'The server could not be reached.'),
  SERVER_UNKNOWN: row('peer', null, true, false, 6, 'This server is not known yet.'),
  SERVER_CHANGED: row('peer', null, true, false, 6, 'The key of this server has CHANGED.'),
  CONNECTION_LOST: row('peer', null, true, true, 9, 'The connection was lost.'),
  TIMEOUT: row('usage', null, false, false, 10, 'The time given ran out.'),
  LINES_REJECTED: row('peer', null, false, false, 11, 'Some lines were rejected.'),
  DRAIN_TIMEOUT: row('peer', null, true, false, 9, 'Some lines were not acknowledged in time.'),
  CLOSED: row('usage', null, true, false, 1, 'This client was closed.'),
  CONFIG: row('usage', null, false, false, 2, 'The configuration is not valid.'),
  INPUT_FAILED: row('usage', null, false, false, 1, 'The input could not be read.'),
  OUTPUT_FAILED: row('usage', null, false, false, 1, 'The output could not be written.'),
  LISTEN_FAILED: row('usage', null, false, false, 1, 'The server cannot listen there.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export interface ErrorDetail {
  /** Words for people that replace the row's general ones. */
  readonly text?: string | undefined;
  /** How long to wait before trying again, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  /** When the refusal ends by itself, in milliseconds since 1970. */
  readonly untilMs?: number | undefined;
  /** The local reason; it goes to the log, never to the other end. */
  readonly cause?: unknown;
}

/** Every error of this project that anyone may want to branch on. */
export class BcastError extends Error {
  readonly code: ErrorCode;
  readonly retryAfterMs: number | undefined;
  readonly untilMs: number | undefined;

  constructor(code: ErrorCode, detail: ErrorDetail = {}) {
    super(detail.text ?? ERRORS[code].message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.name = 'BcastError';
    this.code = code;
    this.retryAfterMs = detail.retryAfterMs;
    this.untilMs = detail.untilMs;
  }

  get exit(): number {
    return ERRORS[this.code].exit;
  }

  get retry(): boolean {
    return ERRORS[this.code].retry;
  }
}

const byWire = new Map<number, ErrorCode>();
for (const [code, { wire }] of Object.entries(ERRORS)) {
  if (wire !== null) byWire.set(wire, code as ErrorCode);
}

/** The code behind a wire number; a number from a newer server becomes INTERNAL. */
export function errorCodeOf(wire: number): ErrorCode {
  return byWire.get(wire) ?? 'INTERNAL';
}

/** Anything thrown, as one of ours; what is not ours is INTERNAL with the original as its cause. */
export function toBcastError(error: unknown): BcastError {
  return error instanceof BcastError ? error : new BcastError('INTERNAL', { cause: error });
}

/** States what must hold if our own code is right. */
export function invariant(condition: unknown, claim: string): asserts condition {
  if (!condition) throw new BcastError('INTERNAL', { cause: new Error(`invariant broken: ${claim}`) });
}

function row<const W extends number | null>(
  scope: ErrorScope,
  wire: W,
  close: boolean,
  retry: boolean,
  exit: number,
  message: string,
): ErrorRow & { readonly wire: W } {
  return { scope, wire, close, retry, exit, message };
}
