import { Channel, type ChannelInfo, type InitiatorHandler } from '../../lib/wire/channel.ts';
import { type Identity, importIdentity, type PeerIdentity } from '../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import type { CryptoProvider, Encapsulation } from '../../lib/wire/crypto/port.ts';
import { encodeFrame, FrameDecoder } from '../../lib/wire/frame.ts';

export const native = createNativeCrypto();

export function hex(digits: string): Uint8Array {
  return new Uint8Array(Buffer.from(digits, 'hex'));
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}

export function utf8(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text));
}

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** A copy with one bit turned over. */
export function flipped(bytes: Uint8Array, at: number, bit = 0): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[at] = (copy[at] ?? 0) ^ (1 << bit);
  return copy;
}

/** An identity that is the same in every run. */
export function identityOf(crypto: CryptoProvider, byte: number): Identity {
  return importIdentity(crypto, {
    signingSeed: new Uint8Array(32).fill(byte),
    staticSecret: new Uint8Array(32).fill(byte + 1),
  });
}

export interface FixedSecrets {
  readonly ephemeralSecret?: Uint8Array;
  /** The ML-KEM seed d || z of an initiator. */
  readonly kemSeed?: Uint8Array;
  /** What a responder's encapsulation gives. */
  readonly encapsulation?: Encapsulation;
}

/** `crypto` without chance: for test vectors alone. */
export function fixedCrypto(crypto: CryptoProvider, secrets: FixedSecrets): CryptoProvider {
  const { ephemeralSecret, kemSeed, encapsulation } = secrets;
  return {
    ...crypto,
    ...(ephemeralSecret && { generateDh: () => crypto.importDh(ephemeralSecret) }),
    kem: {
      ...crypto.kem,
      ...(kemSeed && { generate: () => crypto.kem.importSeed(kemSeed) }),
      ...(encapsulation && {
        encapsulate(publicKey: Uint8Array) {
          // For its judgement of the key alone.
          crypto.kem.encapsulate(publicKey);
          return encapsulation;
        },
      }),
    },
  };
}

/** A channel with everything it said and heard written down. */
export class Party {
  readonly channel: Channel;
  readonly sent: Uint8Array[] = [];
  readonly messages: Uint8Array[] = [];
  info: ChannelInfo | undefined;
  met: PeerIdentity | undefined;
  /** Called for each message, after it was noted. */
  onMessage: (bytes: Uint8Array) => void = () => {};

  constructor(make: (party: { handler: InitiatorHandler; send: (bytes: Uint8Array) => boolean }) => Channel) {
    this.channel = make({
      handler: {
        onPeerIdentity: (peer) => {
          this.met = peer;
          this.channel.accept();
        },
        onOpen: (info) => {
          this.info = info;
        },
        onMessage: (bytes) => {
          this.messages.push(new Uint8Array(bytes));
          this.onMessage(bytes);
        },
      },
      send: (bytes) => {
        this.sent.push(new Uint8Array(bytes));
        return true;
      },
    });
  }

  /** What was sent since the last call, in one piece. */
  take(): Uint8Array {
    return concat(...this.sent.splice(0));
  }

  say(...messages: readonly Uint8Array[]): void {
    this.channel.sealMessages(messages.map(encodeFrame));
  }
}

export interface PartyOptions {
  readonly crypto?: CryptoProvider;
  readonly suite?: number;
  readonly suites?: readonly number[];
  readonly recordsPerKey?: number;
  readonly identity?: Identity;
  readonly handler?: Partial<InitiatorHandler>;
}

export function initiator(options: PartyOptions = {}): Party {
  const { crypto = native, suite, recordsPerKey, identity = identityOf(crypto, 10), handler } = options;
  return new Party((party) => {
    return new Channel({
      role: 'initiator',
      crypto,
      identity,
      handler: { ...party.handler, ...handler },
      send: party.send,
      ...(suite !== undefined && { suite }),
      ...(recordsPerKey !== undefined && { recordsPerKey }),
    });
  });
}

export function responder(options: PartyOptions = {}): Party {
  const { crypto = native, suites, recordsPerKey, identity = identityOf(crypto, 20), handler } = options;
  return new Party((party) => {
    return new Channel({
      role: 'responder',
      crypto,
      identity,
      handler: { ...party.handler, ...handler },
      send: party.send,
      ...(suites !== undefined && { suites }),
      ...(recordsPerKey !== undefined && { recordsPerKey }),
    });
  });
}

/** Carries everything that either side says to the other until both are quiet. */
export function settle(a: Party, b: Party, maxChunkBytes = Number.POSITIVE_INFINITY): void {
  for (;;) {
    const toB = a.take();
    const toA = b.take();
    if (toA.length + toB.length === 0) return;
    feed(b.channel, toB, maxChunkBytes);
    feed(a.channel, toA, maxChunkBytes);
  }
}

/** Gives bytes to a channel in chunks of at most so many. */
export function feed(channel: Channel, bytes: Uint8Array, maxChunkBytes = Number.POSITIVE_INFINITY): void {
  for (let start = 0; start < bytes.length; start += maxChunkBytes) {
    channel.receive(bytes.slice(start, start + maxChunkBytes));
  }
}

/** Two parties with an open channel between them. */
export function openPair(options: PartyOptions = {}): { readonly client: Party; readonly server: Party } {
  const client = initiator(options);
  const { suite: _, ...rest } = options;
  const server = responder(rest);
  client.channel.start();
  settle(client, server);
  return { client, server };
}

/** The payloads of whole frames. */
export function payloadsOf(frames: Uint8Array): Uint8Array[] {
  const decoder = new FrameDecoder({ maxBytes: 0xffff_ffff });
  decoder.push(frames);
  const payloads: Uint8Array[] = [];
  for (let payload = decoder.next(); payload !== undefined; payload = decoder.next()) payloads.push(payload);
  return payloads;
}
