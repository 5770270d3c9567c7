import { connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Clock } from '../../../lib/clock.ts';
import { BcastError } from '../../../lib/errors.ts';
import { connectTcp, tcpTransport } from '../../../lib/wire/transport/tcp.ts';
import { utf8 } from '../fixtures.ts';
import { conformsToTransport, Listener, type TransportPair } from './conformance.ts';

let server: Server;
let accepted: ((socket: Socket) => void) | undefined;

beforeAll(async () => {
  server = createServer({ pauseOnConnect: true }, (socket) => accepted?.(socket));
  await new Promise<void>((resolve) => server.listen(0, '::', resolve));
});

afterAll(() => {
  server.close();
});

function port(): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server listens on a port');
  return address.port;
}

function nextAccepted(): Promise<Socket> {
  return new Promise((resolve) => {
    accepted = resolve;
  });
}

async function makePair(host: string): Promise<TransportPair & { readonly socket: Socket }> {
  const acceptedSocket = nextAccepted();
  const a = await connectTcp({ host, port: port() });
  const socket = await acceptedSocket;
  return { a, b: tcpTransport(socket), socket, cut: () => void socket.resetAndDestroy() };
}

describe('over TCP, connecting', () => {
  conformsToTransport(() => makePair('127.0.0.1'));
});

describe('over TCP, accepting', () => {
  conformsToTransport(async () => {
    const { a, b, cut } = await makePair('127.0.0.1');
    return { a: b, b: a, cut };
  });
});

test('names an IPv4 peer on an IPv6 socket by its IPv4 address', async () => {
  const { a, b } = await makePair('127.0.0.1');
  expect(b.remoteAddress).toBe('127.0.0.1');
  a.destroy();
  b.destroy();
});

test('rejects with CONNECT_FAILED where nobody listens', async () => {
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve));
  const address = closed.address();
  await new Promise((resolve) => closed.close(resolve));
  const free = typeof address === 'object' && address !== null ? address.port : 1;
  const error = await connectTcp({ host: '127.0.0.1', port: free }).catch((reason: unknown) => reason);
  expect(error instanceof BcastError && error.code).toBe('CONNECT_FAILED');
  expect((error as Error).cause).toMatchObject({ code: 'ECONNREFUSED' });
});

test('rejects when the signal says so, before and during the attempt', async () => {
  const reason = new Error('no longer wanted');
  const before = await connectTcp({ host: '127.0.0.1', port: port(), signal: AbortSignal.abort(reason) }).catch(
    (error: unknown) => error,
  );
  expect(before).toMatchObject({ code: 'CONNECT_FAILED', cause: reason });
  const controller = new AbortController();
  const during = connectTcp({ host: '127.0.0.1', port: port(), signal: controller.signal });
  controller.abort(reason);
  await expect(during).rejects.toMatchObject({ code: 'CONNECT_FAILED', cause: reason });
});

describe('ending', () => {
  /** A clock whose timers run when told to. */
  function manualClock(): { readonly clock: Clock; readonly pending: Map<number, () => void> } {
    const pending = new Map<number, () => void>();
    const clock: Clock = {
      nowMs: () => 0,
      monotonicMs: () => 0,
      after(delayMs, callback) {
        pending.set(delayMs, callback);
        return { cancel: () => pending.delete(delayMs) };
      },
    };
    return { clock, pending };
  }

  /** A transport of ours over an accepted socket, and a bare socket that does as it likes. */
  async function againstBareSocket(): Promise<{
    readonly transport: ReturnType<typeof tcpTransport>;
    readonly bare: Socket;
    readonly heard: Listener;
    readonly pending: Map<number, () => void>;
  }> {
    const acceptedSocket = nextAccepted();
    const bare = connect({ port: port(), host: '127.0.0.1', allowHalfOpen: true });
    bare.on('error', () => undefined);
    const { clock, pending } = manualClock();
    const transport = tcpTransport(await acceptedSocket, clock);
    const heard = new Listener();
    transport.start(heard);
    return { transport, bare, heard, pending };
  }

  test('gives up on an end that reads nothing, after five seconds', async () => {
    const { transport, bare, heard, pending } = await againstBareSocket();
    bare.pause();
    while (transport.write(new Uint8Array(1_000_000)));
    transport.end();
    expect([...pending.keys()]).toEqual([5_000]);
    pending.get(5_000)?.();
    await heard.until(() => heard.closes === 1);
    bare.destroy();
  });

  test('gives up on an end that keeps its half open, a second after the last words left', async () => {
    const { transport, bare, heard, pending } = await againstBareSocket();
    transport.write(utf8('bye'));
    transport.end();
    await new Promise((resolve) => bare.on('data', resolve));
    await new Promise((resolve) => bare.on('end', resolve));
    expect([...pending.keys()]).toEqual([1_000]);
    pending.get(1_000)?.();
    await heard.until(() => heard.closes === 1);
    expect(pending.size).toBe(0);
    bare.destroy();
  });

  test('sees the other end close although it had been paused', async () => {
    const { transport, bare, heard } = await againstBareSocket();
    transport.pause();
    for (let i = 0; i < 100; i++) bare.write(new Uint8Array(50_000));
    transport.end();
    bare.resume();
    bare.end();
    await heard.until(() => heard.closes === 1);
    expect(heard.chunks).toHaveLength(0);
  });

  test('says its last words even to one who was still talking', async () => {
    const { transport, bare, heard } = await againstBareSocket();
    for (let i = 0; i < 20; i++) bare.write(new Uint8Array(50_000));
    transport.write(utf8('enough'));
    transport.end();
    const words = await new Promise((resolve) => bare.once('data', (bytes) => resolve(String(bytes))));
    expect(words).toBe('enough');
    bare.end();
    await heard.until(() => heard.closes === 1);
    expect(heard.error).toBeUndefined();
  });
});
