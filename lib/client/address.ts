import { BcastError } from '../errors.ts';
import { DEFAULT_PORT } from '../limits.ts';
import { type RoomName, requireRoomName, requireUserName, type UserName } from '../protocol/names.ts';
import { isFingerprint } from '../wire/crypto/identity.ts';

/** Where a server is, and what its URL says beside that. */
export interface ServerAddress {
  /** A name or an IP address, IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  readonly user?: UserName;
  readonly room?: RoomName;
  /** The only identity to accept. */
  readonly fingerprint?: string;
}

/** `host:port` as known servers are listed and as people read it. */
export function addressKey({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Reads `bcast://[NAME@]HOST[:PORT][/ROOM][?fp=SHA256:...]`; a bare `HOST[:PORT]` will do. Throws USAGE. */
export function parseServerUrl(text: string): ServerAddress {
  const url = parse(text.includes('://') ? text : `bcast://${text}`);
  if (url.protocol !== 'bcast:' || url.hostname === '') throw bad(text, 'a server is written bcast://HOST[:PORT][/ROOM]');
  if (url.password !== '') throw bad(text, 'a URL is no place for a password');
  const fingerprint = readFingerprint(text, url);
  const room = decodeURIComponent(url.pathname.replace(/^\/|\/$/g, ''));
  const user = decodeURIComponent(url.username);
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    ...(user !== '' && { user: requireUserName(user) }),
    ...(room !== '' && { room: requireRoomName(room) }),
    ...(fingerprint !== undefined && { fingerprint }),
  };
}

function parse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    throw bad(text, 'a server is written bcast://HOST[:PORT][/ROOM]');
  }
}

/** Taken from the text, since URL parameters would read the `+` of base64 as a blank. */
function readFingerprint(text: string, url: URL): string | undefined {
  const raw = /[?&]fp=([^&#]*)/.exec(url.search)?.[1];
  if (raw === undefined) return undefined;
  const fingerprint = decodeURIComponent(raw);
  if (!isFingerprint(fingerprint)) throw bad(text, 'fp must be SHA256: and 43 characters of base64');
  return fingerprint;
}

function bad(text: string, rule: string): BcastError {
  return new BcastError('USAGE', { text: `${JSON.stringify(text)} does not name a server: ${rule}.` });
}
