import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { spawnPinned, waitForOutput } from '../children.ts';
import { BODY_BYTES, createBody } from '../load/body.ts';
import { makeBurst, type PublishTemplate } from '../load/burst.ts';
import { createUnitReader } from '../load/units.ts';
import type { Endpoint, LoadClient, OnBody, RunningServer, StartOptions, Target } from './target.ts';
import { createTlsDialer, followSocket, type TlsDialer } from './tls.ts';

const SERVER = join(import.meta.dirname, '..', 'peers', 'ws-server.ts');
const PACKAGE = join(import.meta.dirname, '..', '..', 'node_modules', 'ws', 'package.json');

const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;
const MASKED = 0x80;
const LENGTH_IS_U16 = 126;
const LONG_HEADER_BYTES = 4;
/** The same in all four places, so that stamping a body under the mask needs no care for alignment. */
const MASK_BYTE = 0x5a;
const MASK = Buffer.alloc(4, MASK_BYTE);
/** RFC 6455 §1.3. */
const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** The npm library ws on node:https. The load counts raw frames: the library's own receiver would be its bottleneck. */
export const wsTarget: Target = {
  name: 'ws',
  prepare() {
    const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string };
    return `ws ${version} on Node ${process.version}`;
  },
  start: startWs,
  createClient: ([endpoint], onLost) => createWsClient(endpoint as Endpoint, onLost),
};

async function startWs({ placement, certificate }: StartOptions): Promise<RunningServer> {
  const command = [process.execPath, SERVER, certificate.certFile, certificate.keyFile];
  const child = spawnPinned(placement, command, {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  const [, port] = await waitForOutput(child, 'stdout', /listening on (\d+)/);
  const endpoint = { host: '127.0.0.1', port: Number(port), certPem: certificate.certPem };
  return { nodes: [{ pid: child.pid, endpoint }], logTail: child.stderrTail, stop: () => child.end() };
}

function createWsClient(endpoint: Endpoint, onLost: (error: Error) => void): LoadClient {
  const dialer = createTlsDialer(endpoint);
  const join = async (room: string, onBody: OnBody) => {
    const link = await openWs(dialer, onBody, onLost);
    await link.roundTrip(maskedFrame(FIN_TEXT, Buffer.from(`join ${room}`)));
    return link;
  };
  return {
    connectMember: join,
    async connectPublisher(room) {
      const link = await join(room, () => onLost(new Error('the publisher was sent a message')));
      const [plain, asking] = [publishTemplate('-'), publishTemplate('?')];
      return {
        publish: (firstSeq, count) => void link.tls.write(makeBurst(plain, firstSeq, count)),
        publishAcknowledged: (seq) => link.roundTrip(makeBurst(asking, seq, 1)),
        close: link.close,
      };
    },
    describeWire: dialer.describe,
  };
}

/** Payload: one byte, '?' when an acknowledgement is asked for, then the body. */
function publishTemplate(flag: '-' | '?'): PublishTemplate {
  const unit = maskedFrame(FIN_BINARY, Buffer.concat([Buffer.from(flag), createBody()]));
  return { unit, bodyAt: unit.length - BODY_BYTES, xor: MASK_BYTE, countersAt: [], firstCounter: 0 };
}

function maskedFrame(opcode: number, payload: Buffer): Buffer {
  const short = payload.length < LENGTH_IS_U16;
  const header = Buffer.alloc(short ? 2 : LONG_HEADER_BYTES);
  header.writeUInt8(opcode, 0);
  header.writeUInt8(MASKED | (short ? payload.length : LENGTH_IS_U16), 1);
  if (!short) header.writeUInt16BE(payload.length, 2);
  return Buffer.concat([header, MASK, payload.map((byte) => byte ^ MASK_BYTE)]);
}

async function openWs(dialer: TlsDialer, onBody: OnBody, onLost: (error: Error) => void) {
  const tls = await dialer.connect();
  await upgrade(tls);
  let onReply: (() => void) | undefined;
  const onUnit = (bytes: Buffer, at: number, length: number) => {
    if (bytes[at] === FIN_BINARY) onBody(bytes, at + length - BODY_BYTES);
    else if (bytes[at] === FIN_TEXT) onReply?.();
    else onLost(new Error(`unexpected WebSocket frame ${bytes[at]}`));
  };
  const { close } = followSocket(tls, createUnitReader(measureFrame, onUnit), onLost);
  const roundTrip = (bytes: Buffer): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    onReply = resolve;
    tls.write(bytes);
    return promise;
  };
  return { tls, roundTrip, close };
}

/** A server's frame: unmasked, and never of 64 KiB here (RFC 6455 §5.2). */
function measureFrame(bytes: Buffer, at: number): number {
  const available = bytes.length - at;
  if (available < 2) return 0;
  const short = bytes[at + 1] as number;
  if (short < LENGTH_IS_U16) return 2 + short;
  return available < LONG_HEADER_BYTES ? 0 : LONG_HEADER_BYTES + bytes.readUInt16BE(at + 2);
}

async function upgrade(tls: TLSSocket): Promise<void> {
  const key = randomBytes(16).toString('base64');
  const accept = createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64');
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  tls.once('error', reject);
  tls.once('data', (chunk: Buffer) => {
    const text = chunk.toString('latin1');
    const accepted = text.startsWith('HTTP/1.1 101 ') && text.includes(accept) && text.endsWith('\r\n\r\n');
    if (accepted) resolve();
    else reject(new Error(`the WebSocket upgrade was refused: ${text}`));
  });
  tls.write(
    `GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`,
  );
  await promise;
  tls.off('error', reject);
}
