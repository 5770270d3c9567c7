import { randomBytes } from 'node:crypto';
import { onTestFinished } from 'vitest';
import { decodeEvent, encodeRequest } from '../../lib/protocol/codec.ts';
import type { Event, Events, Request } from '../../lib/protocol/messages.ts';
import { requireRoomName, requireUserName } from '../../lib/protocol/names.ts';
import { Channel } from '../../lib/wire/channel.ts';
import { generateIdentitySeeds, type Identity, importIdentity } from '../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import { connectTcp } from '../../lib/wire/transport/tcp.ts';
import type { Transport } from '../../lib/wire/transport/transport.ts';

const crypto = createNativeCrypto();

export function newIdentity(): Identity {
  return importIdentity(crypto, generateIdentitySeeds(crypto));
}

export function newMessageId(): string {
  return randomBytes(16).toString('hex');
}

// biome-ignore lint/suspicious/noExplicitAny: distributes Omit over the union of requests.
type WithoutReq<R> = R extends any ? Omit<R, 'req'> : never;
export type Ask = WithoutReq<Request>;

export interface PeerOptions {
  readonly port: number;
  /** Sent first, as a proxy would. */
  readonly preface?: Uint8Array;
  readonly identity?: Identity;
  readonly suite?: number;
  readonly password?: string;
}

/** A bare client: the channel and the codec, and nothing that repairs or repeats. It sees what a server really sends. */
export class Peer {
  readonly identity: Identity;
  readonly events: Event[] = [];
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
  readonly channel: Channel;
  readonly transport: Transport;
  readonly #opened = Promise.withResolvers<void>();
  readonly #gone = Promise.withResolvers<void>();
  #wake: (() => void)[] = [];
  #isGone = false;
  #req = 0;
  /** Called with each event when it comes. */
  onEvent: (event: Event) => void = () => undefined;

  constructor(transport: Transport, { identity = newIdentity(), suite = 4 }: Omit<PeerOptions, 'port'>) {
    this.identity = identity;
    this.transport = transport;
    this.closed = this.#gone.promise;
    this.#opened.promise.catch(() => undefined);
    this.channel = new Channel({
      role: 'initiator',
      crypto,
      identity,
      suite,
      handler: {
        onPeerIdentity: () => this.channel.accept(),
        onOpen: () => this.#opened.resolve(),
        onMessage: (bytes) => this.#onEvent(decodeEvent(bytes)),
      },
      send: (bytes) => {
        transport.write(bytes);
        return transport.bufferedBytes === 0;
      },
    });
    transport.start({
      onData: (bytes) => {
        try {
          this.channel.receive(bytes);
        } catch (error) {
          this.#opened.reject(error);
          transport.destroy();
        }
      },
      onDrain: () => undefined,
      onClose: () => {
        this.#isGone = true;
        this.#opened.reject(new Error('closed before it was open'));
        this.#gone.resolve();
        this.#notify();
      },
    });
    this.channel.start();
  }

  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Sends a request and returns its id. */
  send(ask: Ask): number {
    this.#req += 1;
    this.channel.sealMessages([encodeRequest({ ...ask, req: this.#req } as Request)]);
    return this.#req;
  }

  /** Sends a request and waits for its one answer. */
  async ask(ask: Ask): Promise<Events['ok'] | Events['error']> {
    const req = this.send(ask);
    const answer = await this.next((event) => (event.type === 'ok' || event.type === 'error') && event.req === req);
    return answer as Events['ok'] | Events['error'];
  }

  say(room: string, body: string, id: string = newMessageId()): Promise<Events['ok'] | Events['error']> {
    return this.ask({ type: 'say', id, again: true, room: requireRoomName(room), kind: 'text', body });
  }

  async join(room: string, watch = false): Promise<Events['joined']> {
    const req = this.send({ type: 'join', room: requireRoomName(room), watch, code: null, create: null });
    const event = await this.next((one) => 'req' in one && one.req === req);
    if (event.type !== 'joined') throw new Error(`not joined: ${JSON.stringify(event)}`);
    await this.next((one) => one.type === 'ok' && one.req === req);
    return event;
  }

  /** The first event, past or to come, that qualifies. Rejects when the connection goes without it. */
  async next(qualifies: (event: Event) => boolean): Promise<Event> {
    for (let seen = 0; ; ) {
      for (; seen < this.events.length; seen += 1)
        if (qualifies(this.events[seen] as Event)) return this.events[seen] as Event;
      if (this.#isGone) throw new Error(`gone; events: ${JSON.stringify(this.events.slice(-5))}`);
      await new Promise<void>((resolve) => this.#wake.push(resolve));
    }
  }

  async nextOf<T extends Event['type']>(
    type: T,
    qualifies: (event: Events[T]) => boolean = () => true,
  ): Promise<Events[T]> {
    return (await this.next((event) => event.type === type && qualifies(event as Events[T]))) as Events[T];
  }

  /** Events of one type seen so far. */
  seen<T extends Event['type']>(type: T): Events[T][] {
    return this.events.filter((event) => event.type === type) as Events[T][];
  }

  /** Waits until everything the server had queued for this peer before now has arrived. */
  async settle(): Promise<void> {
    await this.ask({ type: 'ping' });
  }

  #onEvent(event: Event): void {
    this.events.push(event);
    this.onEvent(event);
    this.#notify();
  }

  #notify(): void {
    const wake = this.#wake;
    this.#wake = [];
    for (const resolve of wake) resolve();
  }
}

/** A peer whose channel is open but who has said nothing. */
export async function openPeer({ port, preface, ...options }: PeerOptions): Promise<Peer> {
  const transport = await connectTcp({ host: '127.0.0.1', port });
  if (preface !== undefined) transport.write(new Uint8Array(preface));
  const peer = new Peer(transport, options);
  onTestFinished(() => transport.destroy());
  await peer.opened;
  return peer;
}

/** A peer that is in, under that name. */
export async function enterPeer(name: string, options: PeerOptions): Promise<Peer> {
  const peer = await openPeer(options);
  const answer = await peer.ask({
    type: 'hello',
    name: requireUserName(name),
    agent: 'test',
    password: options.password ?? null,
  });
  if (answer.type === 'error') throw new Error(`hello refused: ${answer.code} ${answer.text}`);
  return peer;
}
