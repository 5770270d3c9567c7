import { expect, test } from 'vitest';
import { BcastError } from '../../../lib/errors.ts';
import type { Transport, TransportHandler } from '../../../lib/wire/transport/transport.ts';
import { concat, utf8 } from '../fixtures.ts';

/** Two joined ends, and how to break what joins them. */
export interface TransportPair {
  readonly a: Transport;
  readonly b: Transport;
  cut(): void;
}

/** Everything one end was told. */
export class Listener implements TransportHandler {
  readonly chunks: Uint8Array[] = [];
  drains = 0;
  closes = 0;
  error: Error | undefined;
  #waiting: { readonly isTrue: () => boolean; readonly resolve: () => void }[] = [];

  get bytes(): Uint8Array {
    return concat(...this.chunks);
  }

  get byteCount(): number {
    return this.chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  onData(bytes: Uint8Array): void {
    expect(this.closes).toBe(0);
    this.chunks.push(new Uint8Array(bytes));
    // What a channel does: it opens records in place.
    bytes.fill(0xee);
    this.#look();
  }

  onDrain(): void {
    expect(this.closes).toBe(0);
    this.drains += 1;
    this.#look();
  }

  onClose(error?: Error): void {
    this.closes += 1;
    this.error = error;
    this.#look();
  }

  /** Resolves as soon as something that this end is told makes `isTrue` true. */
  until(isTrue: () => boolean): Promise<void> {
    if (isTrue()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ isTrue, resolve }));
  }

  #look(): void {
    this.#waiting = this.#waiting.filter(({ isTrue, resolve }) => {
      if (!isTrue()) return true;
      resolve();
      return false;
    });
  }
}

/** What every transport does, over pairs that `makePair` makes. */
export function conformsToTransport(makePair: () => Promise<TransportPair>): void {
  async function start(): Promise<TransportPair & { readonly atA: Listener; readonly atB: Listener }> {
    const pair = await makePair();
    const atA = new Listener();
    const atB = new Listener();
    pair.a.start(atA);
    pair.b.start(atB);
    return { ...pair, atA, atB };
  }

  test('carries bytes both ways, whole and in order', async () => {
    const { a, b, atA, atB } = await start();
    const large = new Uint8Array(300_000).map((_, i) => i % 251);
    a.write(utf8('one '));
    a.write(utf8('two '));
    a.write(new Uint8Array(large));
    b.write(utf8('answer'));
    await atB.until(() => atB.byteCount === 300_008);
    await atA.until(() => atA.byteCount === 6);
    expect(Buffer.compare(atB.bytes, concat(utf8('one two '), large))).toBe(0);
    expect(atA.bytes).toEqual(utf8('answer'));
    a.destroy();
  });

  test('never calls back from inside a call', async () => {
    const { a, atA, atB } = await start();
    a.write(utf8('x'));
    a.end();
    expect([atA.closes, atB.chunks.length, atB.closes]).toEqual([0, 0, 0]);
    await atA.until(() => atA.closes === 1);
  });

  test('loses nothing that came before it was started', async () => {
    const { a, b } = await makePair();
    const atA = new Listener();
    const atB = new Listener();
    a.start(atA);
    a.write(utf8('early'));
    a.end();
    b.start(atB);
    await atB.until(() => atB.closes === 1);
    expect(atB.bytes).toEqual(utf8('early'));
  });

  test('tells a late starter that it is closed', async () => {
    const { a, b } = await makePair();
    b.destroy();
    const atB = new Listener();
    b.start(atB);
    await atB.until(() => atB.closes === 1);
    a.destroy();
  });

  test('sends what is queued before it ends, then closes both ends once and without error', async () => {
    const { a, b, atA, atB } = await start();
    a.write(new Uint8Array(1_000_000));
    a.end();
    a.end();
    expect(a.write(utf8('too late'))).toBe(false);
    await Promise.all([atA.until(() => atA.closes === 1), atB.until(() => atB.closes === 1)]);
    expect(atB.byteCount).toBe(1_000_000);
    expect([atA.error, atB.error]).toEqual([undefined, undefined]);
    a.destroy();
    b.destroy();
    b.end();
    expect(b.write(utf8('nobody there'))).toBe(false);
    expect([atA.closes, atB.closes]).toEqual([1, 1]);
  });

  test('hears nothing more once it has ended, and the last words still arrive', async () => {
    const { a, b, atA, atB } = await start();
    b.write(utf8('unread'));
    a.write(utf8('last words'));
    a.end();
    await Promise.all([atA.until(() => atA.closes === 1), atB.until(() => atB.closes === 1)]);
    expect(atA.chunks).toHaveLength(0);
    expect(atB.bytes).toEqual(utf8('last words'));
  });

  test('closes both ends when one is destroyed', async () => {
    const { a, atA, atB } = await start();
    a.destroy();
    await Promise.all([atA.until(() => atA.closes === 1), atB.until(() => atB.closes === 1)]);
  });

  test('stops at pause, says false when too much waits, and drains on resume', async () => {
    const { a, b, atA, atB } = await start();
    b.pause();
    let written = 0;
    while (a.write(new Uint8Array(64_000))) written += 64_000;
    written += 64_000;
    expect(a.bufferedBytes).toBeGreaterThan(0);
    expect(atB.chunks).toHaveLength(0);
    b.resume();
    await atA.until(() => atA.drains > 0);
    await atB.until(() => atB.byteCount === written);
    expect(a.bufferedBytes).toBe(0);
    a.destroy();
  });

  test('counts what the system has not taken, so that at zero the memory may be used again', async () => {
    const { a, atB } = await start();
    const memory = new Uint8Array(1_000).fill(7);
    a.write(memory);
    if (a.bufferedBytes === 0) memory.fill(0);
    await atB.until(() => atB.byteCount === 1_000);
    expect(atB.bytes.every((byte) => byte === 7)).toBe(true);
    a.destroy();
  });

  test('tells an end that is still there when the pipe is cut', async () => {
    const { cut, atA, atB } = await start();
    cut();
    await Promise.all([atA.until(() => atA.closes === 1), atB.until(() => atB.closes === 1)]);
    const errors = [atA.error, atB.error].filter((error) => error !== undefined);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors) expect(error instanceof BcastError && error.code).toBe('CONNECTION_LOST');
  });

  test('knows the other end’s address', async () => {
    const { a, b } = await start();
    expect(a.remoteAddress).toMatch(/^\S+$/);
    expect(b.remoteAddress).not.toContain('::ffff:');
    a.destroy();
  });
}
