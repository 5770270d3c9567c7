import { connect, type Socket } from 'node:net';
import { expect, onTestFinished } from 'vitest';
import type { Clock } from '../../lib/clock.ts';
import type { ServerOptions } from '../../lib/config/options.ts';
import { Channel } from '../../lib/wire/channel.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import type { ManualClock } from '../helpers/manual-clock.ts';
import { enterPeer, newIdentity, type Peer } from '../helpers/peer.ts';
import { startServer, type TestServer } from '../helpers/server.ts';

const crypto = createNativeCrypto();

/** A real server with two people in it who keep talking, whatever else happens. */
export interface Attacked extends TestServer {
  readonly alice: Peer;
  readonly bob: Peer;
  /** Stops the two and states that everything alice said reached bob, in order, and that nothing else did. */
  expectUnhurt(): Promise<void>;
}

export async function startAttacked(options: Partial<ServerOptions> & { clock?: Clock } = {}): Promise<Attacked> {
  const server = await startServer({ messageBurst: 1e6, messagesPerSecond: 1e6, byteBurst: 1e9, ...options });
  const alice = await enterPeer('alice', server);
  const bob = await enterPeer('bob', server);
  await alice.join('parlour', true);
  await bob.join('parlour', true);
  const kinds = new Set<string>();
  let isOver = false;
  let said = 0;
  const talking = (async () => {
    while (!isOver) {
      const answer = await alice.say('parlour', `line ${said}`);
      expect(answer).toMatchObject({ type: 'ok', seq: said + 1 });
      said += 1;
      // Looking for an answer goes through all that was heard.
      for (const { type } of alice.events.splice(0)) kinds.add(type);
    }
  })();
  talking.catch(() => undefined);
  return {
    ...server,
    alice,
    bob,
    async expectUnhurt() {
      isOver = true;
      await talking;
      await bob.settle();
      expect(said).toBeGreaterThan(0);
      expect(bob.seen('message').map(({ body }) => body)).toEqual(Array.from({ length: said }, (_, i) => `line ${i}`));
      for (const { type } of bob.events) kinds.add(type);
      for (const kind of ['private', 'error', 'lagged', 'removed', 'renamed'] as const)
        expect(kinds).not.toContain(kind);
      // 50 is pino's number for an error: something of ours went wrong.
      for (const line of server.log.text.trim().split('\n')) expect(JSON.parse(line).level, line).toBeLessThan(50);
    },
  };
}

/** Lets time pass, a second at a time, until that has happened: what a server accepts late has its deadline later. */
export async function passUntil(clock: ManualClock, { bob }: Attacked, hasHappened: () => boolean): Promise<void> {
  for (let seconds = 0; !hasHappened(); seconds += 1) {
    if (seconds > 10_000) throw new Error('it does not happen');
    clock.advance(1_000);
    await bob.settle();
  }
}

/** A connection that speaks no protocol: it sends what it is given and keeps what comes. */
export class RawPeer {
  readonly socket: Socket;
  /** Resolves, whoever closed it. */
  readonly closed: Promise<void>;
  received = Buffer.alloc(0);
  #wake: () => void = () => undefined;
  isClosed = false;
  /** The server has closed its side. */
  hasEnded = false;

  constructor(port: number, { allowHalfOpen = false } = {}) {
    this.socket = connect({ host: '127.0.0.1', port, allowHalfOpen });
    onTestFinished(() => void this.socket.destroy());
    this.socket.on('error', () => undefined);
    this.socket.on('data', (bytes) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.#wake();
    });
    this.socket.on('end', () => {
      this.hasEnded = true;
    });
    this.closed = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.isClosed = true;
        this.#wake();
        resolve();
      });
    });
  }

  write(bytes: Uint8Array): void {
    this.socket.write(bytes);
  }

  connected(): Promise<void> {
    return new Promise((resolve) => {
      if (this.socket.connecting) this.socket.once('connect', () => resolve());
      else resolve();
    });
  }

  /** The next whole frame's payload; undefined when the connection goes without one. */
  async frame(): Promise<Buffer | undefined> {
    for (;;) {
      const size = this.received.length >= 4 ? this.received.readUInt32BE(0) : undefined;
      if (size !== undefined && this.received.length >= 4 + size) {
        const payload = this.received.subarray(4, 4 + size);
        this.received = this.received.subarray(4 + size);
        return payload;
      }
      if (this.isClosed) return undefined;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export function frame(payload: Uint8Array): Buffer {
  return Buffer.concat([prefix(payload.length), payload]);
}

export function prefix(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(length);
  return bytes;
}

/** A raw connection with a sound handshake on it, whose frames go out as a test wants them. */
export interface RawChannel {
  readonly raw: RawPeer;
  readonly channel: Channel;
  /** What the channel wants to send; nothing goes by itself after the handshake. */
  readonly outgoing: Buffer[];
}

/** The frames of the handshake pass through `send`, which by default sends them. */
export async function shakeHands(
  port: number,
  send: (raw: RawPeer, bytes: Buffer, index: number) => void = (raw, bytes) => raw.write(bytes),
): Promise<RawChannel> {
  const raw = new RawPeer(port);
  const outgoing: Buffer[] = [];
  const channel = new Channel({
    role: 'initiator',
    crypto,
    identity: newIdentity(),
    suite: 1,
    handler: { onPeerIdentity: () => channel.accept(), onOpen: () => undefined, onMessage: () => undefined },
    send: (bytes) => {
      outgoing.push(Buffer.from(bytes));
      return true;
    },
  });
  channel.start();
  send(raw, outgoing.shift() as Buffer, 0);
  const reply = await raw.frame();
  if (reply !== undefined && reply.length > 128) {
    channel.receive(frame(reply));
    send(raw, outgoing.shift() as Buffer, 1);
  }
  return { raw, channel, outgoing };
}

/** Seals messages without sending them; the frames are what would be sent. */
export function sealed({ channel, outgoing }: RawChannel, parts: readonly Uint8Array[]): Buffer[] {
  channel.sealMessages(parts);
  return outgoing.splice(0);
}
