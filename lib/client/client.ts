import type { Clock } from '../clock.ts';
import type { BcastError } from '../errors.ts';
import type { Events, MessageId, MessageKind } from '../protocol/messages.ts';
import type { UserName } from '../protocol/names.ts';
import type { Identity } from '../wire/crypto/identity.ts';
import type { CryptoProvider } from '../wire/crypto/port.ts';
import type { Transport } from '../wire/transport/transport.ts';
import type { ServerAddress } from './address.ts';
import type { PasswordSource } from './credentials.ts';
import type { ClientEvent, ConnectionStatus, Receipt } from './events.ts';
import type { ReconnectPolicy } from './reconnect.ts';
import type { ServerRequests } from './requests.ts';
import type { JoinOptions } from './rooms.ts';
import { resolveOptions } from './settings.ts';
import { SteadyClient } from './steady-client.ts';
import type { TrustPolicy } from './trust.ts';

export type { ServerAddress } from './address.ts';
export type { PasswordSource } from './credentials.ts';
export type { ClientEvent, ConnectionStatus, Receipt, RoomMessage, ServerIdentity } from './events.ts';
export type { ReconnectPolicy } from './reconnect.ts';
export type { Found, HistoryQuery } from './requests.ts';
export type { Backlog } from './room-line.ts';
export type { JoinOptions } from './rooms.ts';
export type { TrustPolicy } from './trust.ts';

export interface ConnectOptions {
  /** `bcast://[NAME@]HOST[:PORT][/ROOM][?fp=SHA256:...][&code=...]`, or the same taken apart. */
  readonly server: string | ServerAddress;
  /** The name to go by. Default: the URL's. */
  readonly user?: string;
  /** Of a registered name, where this identity does not belong to it yet. It goes to a server that is trusted only. */
  readonly password?: PasswordSource | undefined;
  /** Default: this account's identity, made on first use. */
  readonly identity?: Identity;
  /** Default: the URL's `fp`, servers this account runs here, and this account's known servers; others are refused. */
  readonly trust?: TrustPolicy;
  /** The encryption suite to offer (PROTOCOL §4). */
  readonly suite?: number;
  /** How to come back after a cut; `null` ends the client with it. */
  readonly reconnect?: ReconnectPolicy | null;
  /** What this program is called, at most 64 bytes; others do not see it. */
  readonly agent?: string;
  readonly clock?: Clock;
  /** From 0 to 1; spreads the delays between attempts. */
  readonly random?: () => number;
  readonly crypto?: CryptoProvider;
  /** Makes the byte pipe to the server, or gives up when told to; TCP by default. Rejects with CONNECT_FAILED. */
  readonly openTransport?: (address: ServerAddress, signal: AbortSignal) => Promise<Transport>;
  /** Ends the attempt to connect, with CLOSED; of no effect afterwards. */
  readonly signal?: AbortSignal | undefined;
  /** Told why the first attempt was refused when the server says that it may be repeated, which it is for a while. */
  readonly onFirstWait?: (error: BcastError) => void;
  /** Told of every event from the very first on, attempts to connect included. */
  readonly onEvent?: (event: ClientEvent) => void;
}

export interface SayOptions {
  /** `action` is what IRC calls /me. */
  readonly kind?: MessageKind;
  /** 32 hex digits, new for each message; by it the server recognises one that is sent twice. */
  readonly id?: MessageId;
  /** The message may have been said before under this id, by an earlier life of this program. */
  readonly again?: boolean;
}

/**
 * A client that stays: it comes back after a cut, joins its rooms again, fetches what it missed and sends what was not
 * acknowledged. Iterating it yields its events, one at a time, at the reader's pace: what a slow reader has no room for is
 * left in the room's history and fetched later. Events are kept from the beginning for the first who iterates or listens.
 *
 * Every method that asks the server rejects with a BcastError: the server's refusal, CONNECTION_LOST, or CLOSED.
 */
export interface Client extends AsyncIterable<ClientEvent>, ServerRequests {
  readonly status: ConnectionStatus;
  /** The name this client goes by. */
  readonly name: UserName;
  /** The largest body this server takes, in bytes of UTF-8. */
  readonly maxBodyBytes: number;
  /** How many messages were said and are not acknowledged yet. */
  readonly unacknowledged: number;
  /** Calls `listener` with every event, in the turn in which it happens; returns what ends that. */
  subscribe(listener: (event: ClientEvent) => void): () => void;
  /**
   * Reads nothing from the server until `resume`, answers included; for listeners that cannot keep up. The server leaves
   * out live messages then, which are fetched later, and after half a minute it may close the connection.
   */
  pause(): void;
  resume(): void;

  /** Resolves when the server has stored the message, after any number of reconnections. */
  say(room: string, body: string, options?: SayOptions): Promise<Receipt>;
  /** As `say`, to one person; NO_SUCH_USER when they are not here. */
  tell(to: string, body: string, options?: SayOptions): Promise<Receipt>;
  /** As `say`, to all who follow this user, wherever they are connected. */
  publish(body: string, options?: SayOptions): Promise<Receipt>;
  /**
   * Enters a room and stays in it over reconnections. Resolves when the backlog has been told, which a reader with a large
   * backlog has to read meanwhile. Rejects when the server refuses for good.
   */
  join(room: string, options?: JoinOptions): Promise<Events['joined']>;
  leave(room: string): Promise<void>;

  /** A null text means back. */
  away(text: string | null): Promise<void>;
  /** A person has seen everything in the room up to `seq`. Told to the server now and then. */
  markRead(room: string, seq: number): void;

  /** Makes a new code for a locked room, in place of the old one. Who is in stays in. */
  rotateCode(room: string): Promise<string>;
  /** The code of a locked room as this client knows it: given to `join`, made by the server, or come with an invitation. */
  codeOf(room: string): string | null;
  /** The URL that leads others to this server and room, with the code if it is known. */
  inviteUrl(room: string): string;
  /** Tells a user of a room, with the code if it is known. */
  invite(room: string, name: string): Promise<void>;

  /** Waits until all is acknowledged, for at most `drainTimeoutMs` (none by default), then leaves. Never rejects. */
  close(options?: { readonly drainTimeoutMs?: number }): Promise<void>;
}

/**
 * Connects and says hello. Rejects with the reason when that is refused or nobody is there; later cuts are the client's
 * own business and show up as `status` events.
 */
export async function connect(options: ConnectOptions): Promise<Client> {
  const { signal } = options;
  const client = new SteadyClient(resolveOptions(options));
  const giveUp = (): void => void client.close();
  signal?.addEventListener('abort', giveUp, { once: true });
  if (signal?.aborted) giveUp();
  try {
    await client.start();
  } finally {
    signal?.removeEventListener('abort', giveUp);
  }
  return client;
}

/** Whether a status is the last one. */
export function isClosed(
  status: ConnectionStatus,
): status is { readonly state: 'closed'; readonly error?: BcastError } {
  return status.state === 'closed';
}
