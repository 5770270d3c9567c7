import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BcastError } from '../../../lib/errors.ts';
import { ProxiedTransport } from '../../../lib/server/proxy/proxied-transport.ts';
import { createMemoryPair, type MemoryPairOptions } from '../../../lib/wire/transport/memory.ts';
import type { Transport } from '../../../lib/wire/transport/transport.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { proxyHeader, proxyHeaderFrom } from '../../helpers/proxy-header.ts';
import { concat, utf8 } from '../../wire/fixtures.ts';
import { conformsToTransport, Listener } from '../../wire/transport/conformance.ts';

const HEADER = new Uint8Array(proxyHeaderFrom(Uint8Array.of(192, 0, 2, 7)));

/** A connection from a trusted proxy, and what becomes of it. */
function connection(options?: MemoryPairOptions) {
  const clock = new ManualClock();
  const pair = createMemoryPair(options);
  const known = Promise.withResolvers<Transport>();
  const failed = Promise.withResolvers<BcastError | undefined>();
  const transport = new ProxiedTransport(pair.b, {
    clock,
    timeoutMs: 5_000,
    onKnown: known.resolve,
    onFailed: failed.resolve,
  });
  return { ...pair, clock, transport, known: known.promise, failed: failed.promise };
}

describe('behind a header', () => {
  conformsToTransport(async () => {
    const { a, cut, known } = connection();
    a.write(new Uint8Array(HEADER));
    return { a, b: await known, cut };
  });
});

describe('behind a header, byte by byte', () => {
  conformsToTransport(async () => {
    const { a, cut, known } = connection({ maxChunkBytes: 4_093 });
    for (const byte of HEADER) a.write(Uint8Array.of(byte));
    return { a, b: await known, cut };
  });
});

test('its address is the one the proxy names', async () => {
  const { a, transport, known } = connection();
  expect(transport.remoteAddress).toBe('memory');
  a.write(new Uint8Array(HEADER));
  expect((await known).remoteAddress).toBe('192.0.2.7');
});

test.each([
  ['IPv6', proxyHeaderFrom(Buffer.from('20010db8000000000000000000000007', 'hex')), '2001:db8::7'],
  ['IPv4 written as IPv6', proxyHeaderFrom(Buffer.from('00000000000000000000ffffc0000207', 'hex')), '192.0.2.7'],
  ['nobody', proxyHeader({ family: 0, addresses: new Uint8Array(0) }), 'memory'],
  ['the proxy itself', proxyHeader({ command: 0x20 }), 'memory'],
])('for %s', async (_whom, header, address) => {
  const { a, known } = connection();
  a.write(new Uint8Array(header));
  expect((await known).remoteAddress).toBe(address);
});

test('what came behind the header is passed on first, once, in order, whenever it is started', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 8 }),
      fc.integer({ min: 1, max: 60 }),
      fc.nat(4),
      async (writes, maxChunkBytes, turns) => {
        const { a, known } = connection({ maxChunkBytes });
        a.write(concat(HEADER, ...writes));
        for (const bytes of writes) a.write(new Uint8Array(bytes));
        a.end();
        const b = await known;
        for (let i = 0; i < turns; i += 1) await Promise.resolve();
        const atB = new Listener();
        b.start(atB);
        await atB.until(() => atB.closes === 1);
        expect(atB.bytes).toEqual(concat(...writes, ...writes));
      },
    ),
  );
});

test('a paused one gets nothing, what came with the header neither', async () => {
  const { a, known } = connection();
  a.write(concat(HEADER, utf8('early')));
  const b = await known;
  const atB = new Listener();
  b.start(atB);
  b.pause();
  a.write(utf8(' late'));
  await new Promise((resolve) => setImmediate(resolve));
  expect(atB.chunks).toEqual([]);
  b.resume();
  await atB.until(() => atB.byteCount === 10);
  expect(atB.bytes).toEqual(utf8('early late'));
});

test('one destroyed before it was passed on anything stays silent', async () => {
  const { a, known } = connection();
  a.write(concat(HEADER, utf8('early')));
  const b = await known;
  const atB = new Listener();
  b.start(atB);
  b.destroy();
  await atB.until(() => atB.closes === 1);
  expect(atB.chunks).toEqual([]);
});

describe('fails', () => {
  async function closes(a: Transport): Promise<void> {
    const atA = new Listener();
    a.start(atA);
    await atA.until(() => atA.closes === 1);
    expect(atA.chunks).toEqual([]);
  }

  test('without a word to the other end, when something else comes', async () => {
    const { a, failed } = connection();
    a.write(utf8('BCAST'));
    expect(await failed).toMatchObject({ code: 'BAD_FRAME' });
    await closes(a);
  });

  test('when the header does not come in time', async () => {
    const { a, clock, failed } = connection();
    a.write(HEADER.slice(0, 20));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(5_000);
    expect(await failed).toMatchObject({ code: 'HANDSHAKE_TIMEOUT' });
    await closes(a);
  });

  test('quietly, when the proxy leaves without it', async () => {
    const { a, clock, failed } = connection();
    a.end();
    expect(await failed).toBe(undefined);
    expect(clock.pendingTimers).toBe(0);
  });
});
