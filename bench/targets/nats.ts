import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { spawnPinned, waitForOutput } from '../children.ts';
import { BODY_BYTES, createBody } from '../load/body.ts';
import { makeBurst, type PublishTemplate } from '../load/burst.ts';
import { createUnitReader } from '../load/units.ts';
import { findNatsServer } from './nats-binary.ts';
import type { Endpoint, LoadClient, OnBody, RunningServer, StartOptions, Target } from './target.ts';
import { createTlsDialer, followSocket, type TlsDialer } from './tls.ts';

const LF = 0x0a;
const LETTER_M = 0x4d;
const CRLF_BYTES = 2;
const PONG = Buffer.from('PONG\r\n');
const PING = Buffer.from('PING\r\n');
const CONNECT = 'CONNECT {"verbose":false,"pedantic":false,"tls_required":true,"lang":"bench","protocol":1}\r\n';

/** nats-server with TLS and its defaults; the load speaks the text protocol (docs.nats.io, "Client Protocol"). */
export const natsTarget: Target = {
  name: 'nats',
  prepare() {
    return execFileSync(findNatsServer(), ['--version'], { encoding: 'utf8' }).trim();
  },
  start: startNats,
  createClient: ([endpoint], onLost) => createNatsClient(endpoint as Endpoint, onLost),
};

async function startNats({ placement, directory, certificate }: StartOptions): Promise<RunningServer> {
  const config = join(directory, 'nats.conf');
  const tls = `tls { cert_file: "${certificate.certFile}", key_file: "${certificate.keyFile}" }`;
  writeFileSync(config, `listen: "127.0.0.1:-1"\n${tls}\n`);
  const child = spawnPinned(placement, [findNatsServer(), '-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  const pattern = /Listening for client connections on 127\.0\.0\.1:(\d+)[\s\S]*Server is ready/;
  const [, port] = await waitForOutput(child, 'stderr', pattern);
  const endpoint = { host: '127.0.0.1', port: Number(port), certPem: certificate.certPem };
  return { nodes: [{ pid: child.pid, endpoint }], logTail: child.stderrTail, stop: () => child.end() };
}

function createNatsClient(endpoint: Endpoint, onLost: (error: Error) => void): LoadClient {
  const dialer = createTlsDialer(endpoint);
  const open = (onBody: OnBody) => openNats(endpoint, dialer, onBody, onLost);
  return {
    async connectMember(room, onBody) {
      const link = await open(onBody);
      await link.roundTrip(`${CONNECT}SUB ${room} 1\r\nPING\r\n`);
      return link;
    },
    async connectPublisher(room) {
      const link = await open(() => onLost(new Error('a publisher that subscribed to nothing was sent a message')));
      await link.roundTrip(`${CONNECT}PING\r\n`);
      const template = publishTemplate(room);
      return {
        publish: (firstSeq, count) => void link.tls.write(makeBurst(template, firstSeq, count)),
        // Core NATS acknowledges nothing, but PONG comes after all that was sent before PING has been handled: this is
        // the flush() of every NATS client. The verbose mode's +OK costs the server the same within the noise.
        publishAcknowledged: (seq) => link.roundTrip(Buffer.concat([makeBurst(template, seq, 1), PING])),
        close: link.close,
      };
    },
    describeWire: dialer.describe,
  };
}

function publishTemplate(room: string): PublishTemplate {
  const head = Buffer.from(`PUB ${room} ${BODY_BYTES}\r\n`);
  return {
    unit: Buffer.concat([head, createBody(), Buffer.from('\r\n')]),
    bodyAt: head.length,
    xor: 0,
    countersAt: [],
    firstCounter: 0,
  };
}

async function openNats(endpoint: Endpoint, dialer: TlsDialer, onBody: OnBody, onLost: (error: Error) => void) {
  const socket = connect(endpoint.port, endpoint.host);
  await readInfo(socket);
  const tls: TLSSocket = await dialer.connect(socket);
  let onPong: (() => void) | undefined;
  const onUnit = (bytes: Buffer, at: number, length: number) => {
    if (bytes[at] === LETTER_M) return onBody(bytes, at + length - BODY_BYTES - CRLF_BYTES);
    const line = bytes.toString('latin1', at, at + length - CRLF_BYTES);
    if (line === 'PING') tls.write(PONG);
    else if (line === 'PONG') onPong?.();
    else if (!line.startsWith('INFO ')) onLost(new Error(`nats-server said: ${line}`));
  };
  const { close } = followSocket(tls, createUnitReader(measureUnit, onUnit), onLost);
  const roundTrip = (bytes: Buffer | string): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    onPong = resolve;
    tls.write(bytes);
    return promise;
  };
  return { tls, roundTrip, close };
}

/** A control line, or a MSG line with the payload that follows it; all payloads of the bench are of one size. */
function measureUnit(bytes: Buffer, at: number): number {
  const lineEnd = bytes.indexOf(LF, at);
  if (lineEnd === -1) return 0;
  const lineBytes = lineEnd + 1 - at;
  return bytes[at] === LETTER_M ? lineBytes + BODY_BYTES + CRLF_BYTES : lineBytes;
}

/** The server speaks first, in the clear: one INFO line, after which both sides turn to TLS. */
async function readInfo(socket: Socket): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once('error', reject);
  socket.once('data', (chunk: Buffer) => {
    socket.pause();
    if (chunk.at(-1) === LF && chunk.toString('latin1', 0, 5) === 'INFO ') resolve();
    else reject(new Error('nats-server did not begin with a whole INFO line'));
  });
  await promise;
  socket.off('error', reject);
}
