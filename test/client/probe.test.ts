import { writeFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type ProbeOptions, probeServer } from '../../lib/client/probe.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { enterPeer } from '../helpers/peer.ts';
import { scratchDir } from '../helpers/scratch-dir.ts';
import { startServer } from '../helpers/server.ts';

function probe(port: number, over: Partial<ProbeOptions> = {}) {
  const signal = new AbortController().signal;
  return probeServer({ address: { host: '127.0.0.1', port }, suite: 4, trust: {}, signal, ...over });
}

/** Something that is no bcast server, and what it does with a connection. */
async function listen(onConnection: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    onConnection(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return (server.address() as { port: number }).port;
}

describe('a server seen from outside', () => {
  test('says who it is, what it speaks, how quick it is and how it does', async () => {
    const { port, fingerprint, log } = await startServer();
    await (await enterPeer('alice', { port })).join('den');
    const seen = await probe(port);
    expect(seen).toMatchObject({
      address: `127.0.0.1:${port}`,
      fingerprint,
      trust: 'unknown',
      protocolVersion: 1,
      suite: 4,
      suiteName: expect.stringContaining('MLKEM768'),
      status: { server: 'bcast test', uptimeMs: expect.any(Number), users: 1, rooms: 1 },
    });
    for (const ms of [seen.connectMs, seen.handshakeMs, seen.answerMs]) expect(ms).toBeGreaterThanOrEqual(0);
    expect(log.text.match(/"msg":"entered"/g)).toHaveLength(1);
  });

  test.each([1, 2, 3, 4])('is seen in suite %d', async (suite) => {
    const { port } = await startServer();
    expect(await probe(port, { suite })).toMatchObject({ suite });
  });

  test('is called what it is trusted as, and nothing is remembered of it', async () => {
    const { port, fingerprint } = await startServer();
    const knownServers = join(scratchDir(), 'known');
    expect(await probe(port, { trust: { knownServers, acceptNew: true } })).toMatchObject({ trust: 'unknown' });
    writeFileSync(knownServers, `127.0.0.1:${port} ${fingerprint}\n`);
    expect(await probe(port, { trust: { knownServers } })).toMatchObject({ trust: 'known' });
    expect(await probe(port, { trust: { fingerprint } })).toMatchObject({ trust: 'pinned' });
  });

  test('may keep its status to itself', async () => {
    const { port, fingerprint } = await startServer({ publicStatus: 'none' });
    expect(await probe(port)).toMatchObject({ fingerprint, status: null });
  });

  test('is refused when its key is another', async () => {
    const { port } = await startServer();
    const trust = { fingerprint: `SHA256:${'A'.repeat(43)}` };
    await expect(probe(port, { trust })).rejects.toMatchObject({ code: 'SERVER_CHANGED' });
  });

  test('that does not admit us says why', async () => {
    const { port } = await startServer({ maxConnections: 1 });
    await enterPeer('alice', { port });
    await expect(probe(port)).rejects.toMatchObject({ code: 'SERVER_FULL' });
  });
});

describe('what is no server', () => {
  test('is not reached', async () => {
    const { port, stop } = await startServer();
    await stop();
    await expect(probe(port)).rejects.toMatchObject({
      code: 'CONNECT_FAILED',
      message: expect.stringContaining('nobody listens there'),
    });
  });

  test('closes on us', async () => {
    const port = await listen((socket) => socket.destroy());
    await expect(probe(port)).rejects.toMatchObject({ code: 'CONNECT_FAILED' });
  });

  test('talks of something else', async () => {
    const port = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    await expect(probe(port)).rejects.toMatchObject({ code: 'HANDSHAKE_FAILED' });
  });

  test('says nothing, and is not waited for', async () => {
    const clock = new ManualClock();
    const asked = Promise.withResolvers<void>();
    const port = await listen((socket) => socket.once('data', () => asked.resolve()));
    const seen = probe(port, { clock });
    await asked.promise;
    clock.advance(10_000);
    await expect(seen).rejects.toMatchObject({ code: 'CONNECT_FAILED', message: `127.0.0.1:${port} does not answer.` });
  });

  test('is given up when told to', async () => {
    const abort = new AbortController();
    const port = await listen((socket) => socket.once('data', () => abort.abort(new Error('enough'))));
    await expect(probe(port, { signal: abort.signal })).rejects.toThrow('enough');
  });
});
