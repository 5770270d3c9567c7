import { connect } from 'node:net';
import { encodeRequest } from '../../lib/protocol/codec.ts';
import type { Request } from '../../lib/protocol/messages.ts';
import { generateIdentitySeeds, importIdentity } from '../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../lib/wire/crypto/native.ts';
import { encodeFrame, LENGTH_PREFIX_BYTES } from '../../lib/wire/frame.ts';
import { InitiatorHandshake, type Secured } from '../../lib/wire/handshake.ts';
import type { Suite } from '../../lib/wire/suites.ts';
import { createUnitReader } from '../load/units.ts';
import type { Endpoint } from './target.ts';

const crypto = createNativeCrypto();

/**
 * Read into by every socket in turn: what a chunk holds has been opened or copied when its callback returns. A few records
 * long, so that not each of them is split.
 */
const readBuffer = Buffer.alloc(262_144);

/** One message with its length in front; the buffer is only lent. */
export type OnMessage = (bytes: Buffer, at: number, length: number) => void;

export interface BcastLink {
  send(request: Request): void;
  /** Sends whole encoded messages as one record. */
  sendEncoded(messages: Uint8Array): void;
  close(): void;
}

/**
 * A connection made of the wire's own handshake and record objects, without the Channel: the Channel hands out a view for
 * each message, and those would make the load process dearer than the server.
 */
export async function openBcast(
  endpoint: Endpoint,
  suite: Suite,
  onMessage: OnMessage,
  onLost: (error: Error) => void,
): Promise<BcastLink> {
  const identity = importIdentity(crypto, generateIdentitySeeds(crypto));
  const handshake = new InitiatorHandshake({ crypto, identity, suite });
  const { promise, resolve } = Promise.withResolvers<Secured>();
  let secured: Secured | undefined;
  const readMessages = createUnitReader(measurePrefixed, onMessage);
  const readFrames = createUnitReader(measurePrefixed, (bytes, at, length) => {
    const payload = bytes.subarray(at + LENGTH_PREFIX_BYTES, at + length);
    if (secured !== undefined) return readMessages(asBuffer(secured.opener.open(payload)));
    const peer = handshake.readReply(payload);
    if (peer.fingerprint !== endpoint.fingerprint) throw new Error('the server is not the one that was started');
    const last = handshake.finish();
    secured = last.secured;
    socket.write(encodeFrame(last.message));
    resolve(last.secured);
  });
  const socket = openSocket(endpoint, readFrames, onLost);
  socket.write(encodeFrame(handshake.open()));
  const { sealer } = await promise;
  const sendFrame = (frame: Uint8Array) => {
    socket.write(frame);
    return socket.writableLength === 0;
  };
  const sendEncoded = (messages: Uint8Array) => sealer.seal([messages], sendFrame);
  return { send: (request) => sendEncoded(encodeRequest(request)), sendEncoded, close: () => socket.destroy() };
}

function openSocket({ host, port }: Endpoint, onChunk: (chunk: Buffer) => void, onLost: (error: Error) => void) {
  const callback = (bytes: number) => {
    onChunk(readBuffer.subarray(0, bytes));
    return true;
  };
  const socket = connect({ host, port, noDelay: true, onread: { buffer: readBuffer, callback } });
  socket.on('error', onLost);
  // Closing it ourselves comes only after the measuring, when nobody listens to onLost any more.
  socket.on('end', () => onLost(new Error('the server closed a connection')));
  return socket;
}

function measurePrefixed(bytes: Buffer, at: number): number {
  if (bytes.length - at < LENGTH_PREFIX_BYTES) return 0;
  return LENGTH_PREFIX_BYTES + bytes.readUInt32BE(at);
}

function asBuffer({ buffer, byteOffset, length }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, length);
}
