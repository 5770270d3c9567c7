import { createHash, randomBytes } from 'node:crypto';
import { loadOptions } from '../../../lib/config/load.ts';
import { SERVER_OPTIONS, type ServerOptions } from '../../../lib/config/options.ts';
import type { BcastError } from '../../../lib/errors.ts';
import { createLogger } from '../../../lib/log.ts';
import { decodeEvent } from '../../../lib/protocol/codec.ts';
import type { Event, Events, Fingerprint, Request } from '../../../lib/protocol/messages.ts';
import { type RoomName, requireRoomName, requireUserName } from '../../../lib/protocol/names.ts';
import { createLocalBackplane } from '../../../lib/server/backplane/local.ts';
import { Hub } from '../../../lib/server/hub/hub.ts';
import type { Outbox, Secrets } from '../../../lib/server/hub/ports.ts';
import type { UserSession } from '../../../lib/server/hub/user-session.ts';
import { createMemoryStore } from '../../../lib/server/store/memory.ts';
import { Collector } from '../../helpers/collector.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import type { Ask } from '../../helpers/peer.ts';
import { GatedStore } from './gated-store.ts';

export type Answer = Events['ok'] | Events['error'];

export interface EnterOptions {
  readonly fp?: Fingerprint;
  readonly address?: string;
  readonly password?: string;
}

/** A hub with nothing around it: its turns, its time and its store are in a test's hand. */
export class HubHarness {
  readonly clock = new ManualClock();
  readonly log = new Collector();
  readonly store: GatedStore;
  readonly hub: Hub;
  /** All of them, the defaults included. */
  readonly options: Omit<ServerOptions, 'dataDir'>;
  #atEnd: (() => void)[] = [];

  /** On a store of another harness, as after a restart, or on one of its own; alone, or as a node of a network. */
  constructor(options: Partial<ServerOptions> = {}, store?: GatedStore, backplane = createLocalBackplane()) {
    const { values } = loadOptions<ServerOptions>(SERVER_OPTIONS, { flags: {}, env: {}, dotenv: {}, file: {} });
    const limits = { ...values, ...options };
    this.options = limits;
    let incarnations = 0;
    this.store =
      store ??
      new GatedStore(
        createMemoryStore({
          keepMessages: limits.historyMessages,
          keepMs: limits.historyAge,
          clock: this.clock,
          newIncarnation: () => (++incarnations).toString(16).padStart(16, '0'),
        }),
      );
    this.hub = new Hub({
      store: this.store,
      backplane,
      secrets: fakeSecrets(),
      clock: this.clock,
      turn: { atEnd: (callback) => this.atEndOfTurn(callback), flush: () => undefined },
      log: createLogger('debug', this.log.stream),
      limits,
      settings: limits,
      serverName: 'bcast test',
    });
  }

  /** Kept until a test ends the turn. */
  protected atEndOfTurn(callback: () => void): void {
    this.#atEnd.push(callback);
  }

  /** A session that is in. Rejects with what the hub refuses it with. */
  async enter(name: string, options: EnterOptions = {}): Promise<Guest> {
    const { fp = fingerprintOf(name), address = '192.0.2.1', password = null } = options;
    const guest = new Guest(this);
    const hello = { type: 'hello', req: 0, name: requireUserName(name), agent: 'test', password } as const;
    guest.session = await this.hub.enter({ hello, fp, address, outbox: guest });
    return guest;
  }

  /** Ends the turn: what was put off until then is done, and what that leads to. */
  async endTurn(): Promise<void> {
    await quiet();
    while (this.#atEnd.length > 0) {
      const callbacks = this.#atEnd;
      this.#atEnd = [];
      for (const callback of callbacks) callback();
      await quiet();
    }
  }

  /** Lets time pass and does what falls due. */
  async pass(durationMs: number): Promise<void> {
    this.clock.advance(durationMs);
    await this.endTurn();
  }
}

/** One session as the hub sees it, and all that the hub sends there. */
export class Guest implements Outbox {
  readonly events: Event[] = [];
  /** The bytes of each message, in the order of `events`. */
  readonly sizes: number[] = [];
  isFull = false;
  isHopeless = false;
  /** Why the hub closed it. */
  ended: BcastError | undefined;
  session!: UserSession;
  readonly #harness: HubHarness;
  #req = 0;

  constructor(harness: HubHarness) {
    this.#harness = harness;
  }

  send(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let start = 0; start < bytes.length; ) {
      const end = start + 4 + view.getUint32(start);
      this.events.push(decodeEvent(bytes.subarray(start + 4, end)));
      this.sizes.push(end - start - 4);
      start = end;
    }
  }

  sendRoom(_room: RoomName, bytes: Uint8Array): void {
    this.send(bytes);
  }

  end(error: BcastError): void {
    this.ended = error;
    this.#harness.hub.exit(this.session);
  }

  /** Makes a request as the session's next; what it leads to happens when turns end. */
  start(ask: Ask): { readonly req: number; readonly done: Promise<void> } {
    this.#req += 1;
    const work = this.#harness.hub.handle(this.session, { ...ask, req: this.#req } as Request);
    return { req: this.#req, done: work ?? Promise.resolve() };
  }

  /** Makes a request and returns its answer, of which there must be one by the end of the turn. */
  async ask(ask: Ask): Promise<Answer> {
    const { req } = this.start(ask);
    await this.#harness.endTurn();
    const answers = this.answersTo(req);
    if (answers.length !== 1) throw new Error(`${answers.length} answers to ${ask.type}: ${JSON.stringify(answers)}`);
    return answers[0] as Answer;
  }

  answersTo(req: number): Answer[] {
    const isAnswer = (event: Event): event is Answer =>
      (event.type === 'ok' || event.type === 'error') && event.req === req;
    return this.events.filter(isAnswer);
  }

  async join(room = 'den', watch = false): Promise<Events['joined']> {
    const answer = await this.ask({ type: 'join', room: requireRoomName(room), watch, code: null, create: null });
    if (answer.type === 'error') throw new Error(`not joined: ${answer.code} ${answer.text}`);
    return this.seen('joined').at(-1) as Events['joined'];
  }

  say(body: string, room = 'den', id: string = newId()): Promise<Answer> {
    return this.ask({ type: 'say', again: true, id, room: requireRoomName(room), kind: 'text', body });
  }

  startSay(body: string, room = 'den', id: string = newId()) {
    return this.start({ type: 'say', again: true, id, room: requireRoomName(room), kind: 'text', body });
  }

  seen<T extends Event['type']>(type: T): Events[T][] {
    return this.events.filter((event) => event.type === type) as Events[T][];
  }

  bodies(): string[] {
    return this.seen('message').map(({ body }) => body);
  }

  /** What watchers were told, change by change: `join alice`, `nick alice bob`. */
  changes(): string[] {
    return this.seen('presence').flatMap(({ changes }) =>
      changes.map(({ change, name, other }) => [change, name, ...(other === null ? [] : [other])].join(' ')),
    );
  }

  leave(): void {
    this.#harness.hub.exit(this.session);
  }
}

export function newId(): string {
  return randomBytes(16).toString('hex');
}

/** The same name in a test has the same identity. */
export function fingerprintOf(name: string): Fingerprint {
  return `SHA256:${createHash('sha256').update(name.toLowerCase()).digest('base64').replace(/=+$/, '')}`;
}

/** Waits until no promise that can resolve by itself is left: the hub and its store use nothing but microtasks. */
export async function quiet(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** Codes that can be foreseen, and hashes that take no time. */
function fakeSecrets(): Secrets {
  let codes = 0;
  return {
    newRoomCode: () => `CODE${++codes}`,
    codeDigest: (room, code) => `digest of ${room} ${code}`,
    hashPassword: async (password) => `hash of ${password}`,
    verifyPassword: async (password, hash) => hash === `hash of ${password}`,
  };
}
