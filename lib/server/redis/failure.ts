/**
 * Why Redis did not do something. `unavailable`: it was not reached, did not answer, or says not now; what was asked may or
 * may not have happened. `refused`: it answered that it will not, and nothing happened.
 */
export class RedisFailure extends Error {
  readonly kind: 'unavailable' | 'refused';

  constructor(kind: RedisFailure['kind'], message: string) {
    super(message);
    this.name = 'RedisFailure';
    this.kind = kind;
  }
}

/** What Redis says when it is the wrong moment or the wrong server, not the wrong request. */
const NOT_NOW = new Set([
  'ASK',
  'BUSY',
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'MISCONF',
  'MOVED',
  'NOAUTH',
  'NOPERM',
  'NOREPLICAS',
  'OOM',
  'READONLY',
  'TRYAGAIN',
  'UNKILLABLE',
  'WRONGPASS',
]);

/** How the library says that it has no connection just now, in words about its own options. */
const NOT_CONNECTED = /^(Stream isn't writeable|Connection is closed)/;

/** Long enough to be understood, short enough for a log. */
const MAX_MESSAGE_LENGTH = 200;

/**
 * The failure behind an error of the client library. Only its words are kept: the library hangs the whole command on its
 * errors, with bodies and passwords.
 */
export function toRedisFailure(error: unknown): RedisFailure {
  const { name, message } = error as Error;
  // What it calls a retry is a connection.
  const isCut = name === 'MaxRetriesPerRequestError' || NOT_CONNECTED.test(message);
  const words = isCut ? 'the connection was lost' : String(message).slice(0, MAX_MESSAGE_LENGTH);
  const isAnswer = name === 'ReplyError';
  const isUnavailable = !isAnswer || NOT_NOW.has(words.split(' ', 1)[0] ?? '');
  return new RedisFailure(isUnavailable ? 'unavailable' : 'refused', words);
}
