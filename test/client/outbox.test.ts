import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer, Settle } from '../../lib/client/connection.ts';
import { type Carrier, Outbox, type Outgoing } from '../../lib/client/outbox.ts';
import { BcastError } from '../../lib/errors.ts';
import { nameKey, requireRoomName, requireUserName } from '../../lib/protocol/names.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const LOBBY = requireRoomName('lobby');
const ATTIC = requireRoomName('attic');
const BOB = requireUserName('bob');

function say(n: number, room = LOBBY, body = `m${n}`): Outgoing {
  return { type: 'say', id: n.toString(16).padStart(32, '0'), again: false, room, kind: 'text', body };
}

/** The same, as it goes out again when it may have been stored. */
function again(n: number): Outgoing {
  return { ...say(n), again: true } as Outgoing;
}

function ok(seq: number | null, ts = 5): Answer {
  return { ok: { type: 'ok', req: 1, seq, ts }, rows: [] };
}

function slowDown(retryAfterMs: number): BcastError {
  return new BcastError('SLOW_DOWN', { retryAfterMs });
}

function unavailable(retryAfterMs: number): BcastError {
  return new BcastError('UNAVAILABLE', { retryAfterMs });
}

interface Sent {
  readonly message: Outgoing;
  readonly settle: Settle;
}

/** A connection whose answers the test gives. */
function carrier(): Carrier & { readonly sent: Sent[]; bodies(): string[] } {
  const sent: Sent[] = [];
  return {
    sent,
    bodies: () => sent.map(({ message }) => message.body),
    send: (ask, settle) => void sent.push({ message: ask as Outgoing, settle }),
  };
}

function outboxWith({ open = [LOBBY, ATTIC] } = {}) {
  const clock = new ManualClock();
  const isOpen = new Set(open.map(nameKey));
  const told: string[] = [];
  const outbox = new Outbox({
    clock,
    isOpen: (room) => isOpen.has(room),
    onSent: ({ body }, { seq }) => told.push(`sent ${body} ${seq}`),
    onDelay: (why, retryAfterMs) => told.push(`${why === 'SLOW_DOWN' ? 'slow' : 'unavailable'} ${retryAfterMs}`),
  });
  const outcomes: string[] = [];
  const add = (message: Outgoing): void => {
    outbox.add(message).then(
      ({ seq }) => outcomes.push(`${message.body} ${seq}`),
      (error: BcastError) => outcomes.push(`${message.body} ${error.code}`),
    );
  };
  return { outbox, clock, isOpen, told, outcomes, add };
}

async function settled(): Promise<void> {
  await Promise.resolve();
  await Promise.resolve();
}

describe('an outbox', () => {
  test('sends at once and resolves with the receipt', async () => {
    const { outbox, told } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    const receipt = outbox.add(say(1));
    expect(outbox.size).toBe(1);
    link.sent[0]?.settle(ok(7, 99));
    expect(told).toEqual(['sent m1 7']);
    expect(await receipt).toEqual({ id: say(1).id, room: LOBBY, seq: 7, ts: 99 });
    expect(outbox.size).toBe(0);
  });

  test('gives private messages a receipt without a place', async () => {
    const { outbox } = outboxWith({ open: [] });
    const link = carrier();
    outbox.attach(link);
    const receipt = outbox.add({ type: 'tell', id: say(1).id, to: BOB, kind: 'text', body: 'psst' });
    link.sent[0]?.settle(ok(null, 99));
    expect(await receipt).toEqual({ id: say(1).id, room: null, seq: null, ts: 99 });
  });

  test('keeps what is said while there is no connection', () => {
    const { outbox, add } = outboxWith();
    add(say(1));
    add(say(2));
    const link = carrier();
    outbox.attach(link);
    expect(link.bodies()).toEqual(['m1', 'm2']);
  });

  test('sends again what a cut left unacknowledged, under the same ids, before what is new', async () => {
    const { outbox, add, outcomes } = outboxWith();
    const first = carrier();
    outbox.attach(first);
    for (const n of [1, 2, 3]) add(say(n));
    first.sent[0]?.settle(ok(1));
    outbox.detach();
    add(say(4));
    const second = carrier();
    outbox.attach(second);
    expect(second.sent.map(({ message }) => message)).toEqual([again(2), again(3), say(4)]);
    for (const [i, { settle }] of second.sent.entries()) settle(ok(i + 2));
    await settled();
    expect(outcomes).toEqual(['m1 1', 'm2 2', 'm3 3', 'm4 4']);
  });

  test('takes nothing an old connection says for news', async () => {
    const { outbox, add, outcomes } = outboxWith();
    const first = carrier();
    outbox.attach(first);
    add(say(1));
    outbox.detach();
    first.sent[0]?.settle(new BcastError('CONNECTION_LOST'));
    first.sent[0]?.settle(ok(1));
    outbox.attach(carrier());
    await settled();
    expect(outcomes).toEqual([]);
    expect(outbox.size).toBe(1);
  });

  test('does not turn to a connection again that has said it is gone', () => {
    const { outbox, add } = outboxWith();
    let asked = 0;
    outbox.attach({
      send: (_, settle) => {
        asked += 1;
        settle(new BcastError('CONNECTION_LOST'));
      },
    });
    add(say(1));
    add(say(2));
    expect(asked).toBe(2);
    expect(outbox.size).toBe(2);
  });

  test('is content when a message is seen as stored before its answer, and passes the answer over', async () => {
    const { outbox, add, outcomes, told } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    add(say(1));
    outbox.confirm(say(1).id, { seq: 4, ts: 9 });
    link.sent[0]?.settle(ok(4, 9));
    await settled();
    expect(outcomes).toEqual(['m1 4']);
    expect(told).toEqual(['sent m1 4']);
  });

  test('a refusal concerns one message alone', async () => {
    const { outbox, add, outcomes } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    add(say(1));
    add(say(2));
    link.sent[0]?.settle(new BcastError('MESSAGE_TOO_LARGE'));
    link.sent[1]?.settle(ok(1));
    await settled();
    expect(outcomes).toEqual(['m1 MESSAGE_TOO_LARGE', 'm2 1']);
  });

  test('refuses an id that is on its way already', async () => {
    const { outbox, add, outcomes } = outboxWith();
    outbox.attach(carrier());
    add(say(1));
    add(say(1));
    await settled();
    expect(outcomes).toEqual(['m1 BAD_REQUEST']);
    expect(outbox.size).toBe(1);
  });

  test('has a bounded number and amount on its way', () => {
    const { outbox, add } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    for (let n = 1; n <= 2_000; n += 1) add(say(n));
    expect(link.sent).toHaveLength(1_024);
    link.sent[0]?.settle(ok(1));
    expect(link.sent).toHaveLength(1_025);

    const large = outboxWith();
    const other = carrier();
    large.outbox.attach(other);
    for (let n = 1; n <= 100; n += 1) large.add(say(n, LOBBY, 'x'.repeat(65_536)));
    expect(other.sent).toHaveLength(4);
  });

  test('tells when nothing is left, also when the last was refused', async () => {
    const { outbox, add } = outboxWith();
    await outbox.empty();
    const link = carrier();
    outbox.attach(link);
    add(say(1));
    add(say(2));
    let isEmpty = false;
    const empty = outbox.empty().then(() => {
      isEmpty = true;
    });
    link.sent[0]?.settle(ok(1));
    await settled();
    expect(isEmpty).toBe(false);
    link.sent[1]?.settle(new BcastError('NOT_A_MEMBER'));
    await empty;
  });
});

describe('a room that is not entered yet', () => {
  test('holds its messages back and nobody else is kept waiting', () => {
    const { outbox, isOpen, add } = outboxWith({ open: [LOBBY] });
    const link = carrier();
    outbox.attach(link);
    add(say(1, ATTIC));
    add(say(2, LOBBY));
    add(say(3, ATTIC));
    expect(link.bodies()).toEqual(['m2']);
    isOpen.add(nameKey(ATTIC));
    outbox.resume();
    expect(link.bodies()).toEqual(['m2', 'm1', 'm3']);
  });

  test('that is refused refuses what waits for it, whatever case it was written in', async () => {
    const { outbox, add, outcomes } = outboxWith({ open: [LOBBY] });
    const link = carrier();
    outbox.attach(link);
    add(say(1, requireRoomName('Attic')));
    add(say(2, LOBBY));
    outbox.rejectRoom(ATTIC, new BcastError('ROOM_BANNED'));
    await settled();
    expect(outcomes).toEqual(['m1 ROOM_BANNED']);
  });

  test('what is already on its way to a room we are put out of gets its own answer', async () => {
    const { outbox, add, outcomes } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    add(say(1));
    outbox.rejectRoom(LOBBY, new BcastError('ROOM_KICKED'));
    link.sent[0]?.settle(ok(1));
    await settled();
    expect(outcomes).toEqual(['m1 1']);
  });
});

describe('slow down', () => {
  test('stops everything until the time has passed, then sends the refused in their order', () => {
    const { outbox, clock, told, add } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    for (const n of [1, 2, 3]) add(say(n));
    link.sent[0]?.settle(ok(1));
    link.sent[1]?.settle(slowDown(300));
    add(say(4));
    link.sent[2]?.settle(slowDown(300));
    add(say(5));
    clock.advance(299);
    expect(link.sent).toHaveLength(3);
    clock.advance(1);
    expect(link.bodies().slice(3)).toEqual(['m2', 'm3', 'm4', 'm5']);
    expect(told.filter((text) => text.startsWith('slow'))).toEqual(['slow 300']);
  });

  test('waits for the answers to all that is on its way, which may be refused too', () => {
    const { outbox, clock, add } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    for (const n of [1, 2, 3]) add(say(n));
    link.sent[0]?.settle(slowDown(100));
    add(say(4));
    clock.advance(100);
    expect(link.sent).toHaveLength(3);
    link.sent[1]?.settle(slowDown(5));
    link.sent[2]?.settle(slowDown(5));
    expect(link.bodies().slice(3)).toEqual(['m1', 'm2', 'm3', 'm4']);
  });

  test('is over with the connection that said it', () => {
    const { outbox, clock, add } = outboxWith();
    const first = carrier();
    outbox.attach(first);
    add(say(1));
    first.sent[0]?.settle(slowDown(10_000));
    outbox.detach();
    const second = carrier();
    outbox.attach(second);
    expect(second.bodies()).toEqual(['m1']);
    clock.advance(20_000);
    expect(second.bodies()).toEqual(['m1']);
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('a store out of reach', () => {
  test('stops everything as slow down does; what it may have stored goes again as such, the rest as it is', () => {
    const { outbox, clock, told, add } = outboxWith();
    const link = carrier();
    outbox.attach(link);
    for (const n of [1, 2]) add(say(n));
    link.sent[0]?.settle(unavailable(300));
    add(say(3));
    clock.advance(300);
    expect(link.sent).toHaveLength(2);
    link.sent[1]?.settle(slowDown(300));
    expect(link.sent.slice(2).map(({ message }) => message)).toEqual([again(1), say(2), say(3)]);
    expect(told).toEqual(['unavailable 300']);
  });
});

type Step = 'say' | 'arrive' | 'answer' | 'slow' | 'away' | 'pass' | 'cut';

/** What the server does with messages, as its gate and its publisher do it: behind a refused one all are until it comes again. */
class ModelServer {
  readonly stored: string[] = [];
  /** Messages that are to be refused: for their speed, and because the store is out of reach. */
  slow = 0;
  away = 0;
  /** Sent and not looked at; looked at and not answered. */
  #travelling: Sent[] = [];
  #answers: (() => void)[] = [];
  #refusedId: string | undefined;

  /** A new connection. */
  connect(): Carrier {
    const travelling: Sent[] = [];
    this.#travelling = travelling;
    this.#answers = [];
    this.#refusedId = undefined;
    return { send: (ask, settle) => void travelling.push({ message: ask as Outgoing, settle }) };
  }

  /** False when nothing is on its way. */
  arrive(): boolean {
    const next = this.#travelling.shift();
    if (next === undefined) return false;
    const answer = this.#answerTo(next.message);
    this.#answers.push(() => next.settle(answer));
    return true;
  }

  answer(): boolean {
    const answer = this.#answers.shift();
    answer?.();
    return answer !== undefined;
  }

  #answerTo(message: Outgoing): Answer | BcastError {
    if (this.#refusedId !== undefined && this.#refusedId !== message.id) return slowDown(50);
    this.#refusedId = message.id;
    if (this.slow > 0) {
      this.slow -= 1;
      return slowDown(50);
    }
    if (this.away > 0) {
      // Of those that the store does not answer, every other one is in it.
      if (this.away % 2 === 0) this.#store(message);
      this.away -= 1;
      return unavailable(50);
    }
    this.#refusedId = undefined;
    return ok(this.#store(message));
  }

  /** Only what comes again is looked for among what is there. */
  #store({ id, ...message }: Outgoing): number {
    const isAgain = message.type !== 'say' || message.again;
    const known = isAgain ? this.stored.indexOf(id) : -1;
    return known === -1 ? this.stored.push(id) : known + 1;
  }
}

test('whatever is refused, lost or cut, the server stores every message once and in order', async () => {
  const step = fc.constantFrom<Step>('say', 'say', 'say', 'arrive', 'arrive', 'answer', 'slow', 'away', 'pass', 'cut');
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (script) => {
      const { outbox, clock, add, outcomes } = outboxWith();
      const server = new ModelServer();
      outbox.attach(server.connect());
      let count = 0;
      const steps: Record<Step, () => void> = {
        say: () => {
          count += 1;
          add(say(count));
        },
        arrive: () => void server.arrive(),
        answer: () => void server.answer(),
        slow: () => {
          server.slow += 1;
        },
        away: () => {
          server.away += 1;
        },
        pass: () => clock.advance(30),
        cut: () => {
          outbox.detach();
          outbox.attach(server.connect());
        },
      };
      for (const one of script) steps[one]();
      server.slow = 0;
      server.away = 0;
      for (let round = 0; outbox.size > 0 && round < 1_000; round += 1) {
        clock.advance(60);
        while (server.arrive());
        while (server.answer());
      }
      await settled();
      const said = Array.from({ length: count }, (_, i) => i + 1);
      expect(server.stored).toEqual(said.map((n) => say(n).id));
      expect(outcomes.toSorted()).toEqual(said.map((n) => `m${n} ${n}`).toSorted());
    }),
    { numRuns: 300 },
  );
});
