import type { ConnectOptions } from '../../lib/client/client.ts';
import type { BcastError, ErrorCode } from '../../lib/errors.ts';
import { ERRORS } from '../../lib/errors.ts';
import { decodeRequest, encodeEvent } from '../../lib/protocol/codec.ts';
import type { Event, Events, PastMessage, Request, Requests } from '../../lib/protocol/messages.ts';
import { requireRoomName, requireUserName } from '../../lib/protocol/names.ts';
import { Channel } from '../../lib/wire/channel.ts';
import { generateIdentitySeeds, type Identity, importIdentity } from '../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import { createMemoryPair, type MemoryPair } from '../../lib/wire/transport/memory.ts';
import type { Transport } from '../../lib/wire/transport/transport.ts';

const crypto = createNativeCrypto();

export const LOBBY = requireRoomName('lobby');
export const BOB = requireUserName('bob');
export const BOB_FP = `SHA256:${'B'.repeat(42)}A`;

/** Answers a request, or leaves it to the test by returning nothing. */
export type Answerer = (line: ScriptedLine, request: Request) => boolean;

export interface ScriptedServerOptions {
  readonly identity?: Identity;
  readonly idleTimeoutMs?: number;
  readonly maxBodyBytes?: number;
}

/**
 * A server whose every word the test chooses, behind a real channel and a memory pipe. Hellos and pings are answered by
 * themselves unless `answers` says otherwise; other requests wait in `requests` of their line.
 */
export class ScriptedServer {
  readonly identity: Identity;
  readonly lines: ScriptedLine[] = [];
  /** Tried in order before the server's own answers. */
  readonly answers: Answerer[] = [];
  /** What the next attempts to connect are answered with, instead of a pipe. */
  readonly refusals: BcastError[] = [];
  /** Attempts to connect so far. */
  attempts = 0;
  /** Set: connections open and then nothing is ever said. */
  isMute = false;
  readonly #options: ScriptedServerOptions;
  #waiting: (() => void)[] = [];

  constructor(options: ScriptedServerOptions = {}) {
    this.identity = options.identity ?? importIdentity(crypto, generateIdentitySeeds(crypto));
    this.#options = options;
  }

  /** For `connect`: trusts this server and reaches it without a network. */
  get connectOptions(): Pick<ConnectOptions, 'server' | 'openTransport' | 'trust' | 'random'> {
    return {
      server: 'bcast://scripted.test:7000',
      openTransport: () => this.open(),
      trust: { fingerprint: this.identity.fingerprint },
      random: () => 0.5,
    };
  }

  async open(): Promise<Transport> {
    this.attempts += 1;
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    const pair = createMemoryPair();
    const { idleTimeoutMs = 90_000, maxBodyBytes = 16_384 } = this.#options;
    const line = new ScriptedLine(this, pair, { idleTimeoutMs, maxBodyBytes });
    this.lines.push(line);
    for (const wake of this.#waiting.splice(0)) wake();
    return pair.a;
  }

  /** The connection of that number, counting from 0, once it is there. */
  async line(index: number): Promise<ScriptedLine> {
    while (this.lines.length <= index) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.lines[index] as ScriptedLine;
  }
}

/** One connection at the server's end. */
export class ScriptedLine {
  /** What was asked and nobody has answered by itself, oldest first. */
  readonly requests: Request[] = [];
  readonly hellos: Requests['hello'][] = [];
  isOpen = false;
  isClosed = false;
  readonly transport: Transport;
  readonly #server: ScriptedServer;
  readonly #pair: MemoryPair;
  readonly #channel: Channel;
  readonly #limits: Required<Pick<ScriptedServerOptions, 'idleTimeoutMs' | 'maxBodyBytes'>>;
  #waiting: (() => void)[] = [];

  constructor(
    server: ScriptedServer,
    pair: MemoryPair,
    limits: Required<Pick<ScriptedServerOptions, 'idleTimeoutMs' | 'maxBodyBytes'>>,
  ) {
    this.#server = server;
    this.#pair = pair;
    this.#limits = limits;
    this.transport = pair.b;
    this.#channel = new Channel({
      role: 'responder',
      crypto,
      identity: server.identity,
      handler: {
        onOpen: () => {
          this.isOpen = true;
        },
        onMessage: (bytes) => this.#onRequest(decodeRequest(bytes)),
      },
      send: (bytes) => {
        pair.b.write(bytes);
        return false;
      },
    });
    pair.b.start({
      onData: (bytes) => {
        if (!server.isMute) this.#channel.receive(bytes);
      },
      onDrain: () => undefined,
      onClose: () => {
        this.isClosed = true;
        this.#wake();
      },
    });
  }

  /** The next request of that type that was not answered, once it is there; it is taken out. */
  async next<T extends Request['type']>(type: T): Promise<Requests[T]> {
    for (;;) {
      const at = this.requests.findIndex((request) => request.type === type);
      if (at !== -1) return this.requests.splice(at, 1)[0] as Requests[T];
      if (this.isClosed) throw new Error(`the line is closed and no ${type} came`);
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  /** Sends the events in one record. */
  tell(...events: Event[]): void {
    this.#channel.sealMessages(events.map(encodeEvent));
  }

  /** Raw bytes of a message, true to the schema or not. */
  tellRaw(bytes: Uint8Array): void {
    this.#channel.sealMessages([bytes]);
  }

  ok(
    { req }: { readonly req: number },
    seq: number | null = null,
    ts: number | null = seq === null ? null : seq,
  ): void {
    this.tell({ type: 'ok', req, seq, ts });
  }

  refuse(request: { readonly req: number } | null, code: ErrorCode, more: Partial<Events['error']> = {}): void {
    const req = request?.req ?? null;
    const rest = { text: '', retryAfterMs: null, untilMs: null, ...more };
    this.tell({ type: 'error', req, code: ERRORS[code].wire ?? 0, ...rest });
  }

  /** Ends the connection as a server does: with the reason. */
  end(code: ErrorCode, more: Partial<Events['error']> = {}): void {
    this.refuse(null, code, more);
    this.transport.end();
  }

  /** Breaks the pipe; what was under way is lost. */
  cut(): void {
    this.#pair.cut();
  }

  message(seq: number, body = `m${seq}`): void {
    this.tell(messageEvent(seq, body));
  }

  welcome(hello: Requests['hello']): void {
    const { idleTimeoutMs, maxBodyBytes } = this.#limits;
    const rest = {
      role: 'member',
      registered: false,
      server: 'scripted',
      maxBodyBytes,
      idleTimeoutMs,
      pingIntervalMs: 20_000,
      motd: null,
    } as const;
    this.tell(
      { type: 'welcome', req: hello.req, name: hello.name, ...rest },
      { type: 'ok', req: hello.req, seq: null, ts: null },
    );
  }

  /** Lets somebody in who asks to join. */
  admit({ req, room }: Requests['join'], over: Partial<Events['joined']> = {}): void {
    const joined = { incarnation: '0'.repeat(16), last: 0, first: 1, keep: 50, members: 1 };
    const rest = { keepMs: 1e9, access: 'open', code: null, role: 'member', owner: null, topic: null } as const;
    this.tell({ type: 'joined', req, room, ...joined, ...rest, ...over }, { type: 'ok', req, seq: null, ts: null });
  }

  #onRequest(request: Request): void {
    if (request.type === 'hello') this.hellos.push(request);
    const isAnswered = this.#server.answers.some((answer) => answer(this, request)) || this.#answer(request);
    if (!isAnswered) this.requests.push(request);
    this.#wake();
  }

  #answer(request: Request): boolean {
    if (request.type === 'hello') this.welcome(request);
    else if (request.type === 'ping') this.ok(request);
    else return false;
    return true;
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

export function messageEvent(seq: number, body = `m${seq}`): Events['message'] {
  const id = seq.toString(16).padStart(32, '0');
  return { type: 'message', room: LOBBY, from: BOB, fp: BOB_FP, kind: 'text', seq, ts: seq, id, body };
}

/** The message as history tells it. */
export function pastOf({ seq, ts, from, fp, id, kind, body }: Events['message']): PastMessage {
  return { seq, ts, from, fp, id, kind, body };
}

/** Lets every callback run that is due without a clock: what travels in memory arrives. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 3; i += 1) await new Promise<void>((resolve) => void setImmediate(resolve));
}
