import { BcastError } from '../errors.ts';
import { DEFAULT_PORT } from '../limits.ts';
import {
  nameKey,
  type RoomName,
  requireRoomName,
  requireUserName,
  toRoomName,
  type UserName,
} from '../protocol/names.ts';
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
  /** Of the room, when that is locked. */
  readonly code?: string;
}

/** `host:port` as known servers are listed and as people read it. */
export function addressKey({ host, port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/**
 * Reads `bcast://[NAME@]HOST[:PORT][/ROOM][?fp=SHA256:...][&code=...]`; a bare `HOST[:PORT]` will do. Throws USAGE,
 * NAME_INVALID and ROOM_NAME_INVALID. No error repeats the text: a password or the code of a room may stand in it.
 */
export function parseServerUrl(text: string): ServerAddress {
  const url = parse(text.includes('://') ? text : `bcast://${text}`);
  if (url.protocol !== 'bcast:' || url.hostname === '' || url.port === '0') throw bad();
  if (url.password !== '') throw new BcastError('USAGE', { text: 'A server URL is no place for a password.' });
  const fingerprint = readFingerprint(url);
  const code = parameterOf(url, 'code');
  const room = decode(url.pathname.replace(/^\/|\/$/g, ''));
  const user = decode(url.username);
  return {
    host: decode(url.hostname)
      .replace(/^\[|\]$/g, '')
      .toLowerCase(),
    port: url.port === '' ? DEFAULT_PORT : Number(url.port),
    ...(user !== '' && { user: requireUserName(user) }),
    ...(room !== '' && { room: requireRoomName(room) }),
    ...(fingerprint !== undefined && { fingerprint }),
    ...(code !== undefined && code !== '' && { code }),
  };
}

/** Whether a text names that room. */
export function sameRoom(text: string, room: RoomName): boolean {
  const name = toRoomName(text);
  return name !== null && nameKey(name) === nameKey(room);
}

/** The URL that leads others to a room, and in: with the code of a locked one it is as secret as that. */
export function inviteUrl(address: string, fingerprint: string, room: RoomName, code: string | null): string {
  const url = `bcast://${address}/${encodeURIComponent(room)}?fp=${fingerprint}`;
  return code === null ? url : `${url}&code=${encodeURIComponent(code)}`;
}

function parse(text: string): URL {
  // In a path `#` begins the secret of an invitation and in front of it nothing else; IRC's habit of #room is not a URL's.
  const url = URL.parse(text.trim());
  if (url === null) throw bad();
  return url;
}

/** Taken from the raw query, since URL parameters would read the `+` of base64 as a blank. */
function parameterOf({ search }: URL, name: 'fp' | 'code'): string | undefined {
  const raw = new RegExp(`[?&]${name}=([^&]*)`).exec(search)?.[1];
  return raw === undefined ? undefined : decode(raw);
}

function readFingerprint(url: URL): string | undefined {
  const fingerprint = parameterOf(url, 'fp');
  if (fingerprint !== undefined && !isFingerprint(fingerprint)) {
    throw new BcastError('USAGE', { text: "The server URL's fp must be SHA256: and 43 characters of base64." });
  }
  return fingerprint;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw bad();
  }
}

function bad(): BcastError {
  return new BcastError('USAGE', {
    text: 'A server is written bcast://[NAME@]HOST[:PORT][/ROOM][?fp=SHA256:...][&code=CODE].',
  });
}
