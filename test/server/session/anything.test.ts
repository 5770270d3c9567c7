import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BcastError, ERRORS } from '../../../lib/errors.ts';
import type { Event, Events } from '../../../lib/protocol/messages.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';
import { type Ask, newIdentity, newMessageId } from '../../helpers/peer.ts';
import type { Gate } from '../hub/gated-store.ts';
import { SessionHarness } from './harness.ts';

type Entered = Awaited<ReturnType<SessionHarness['enterPeer']>>;

interface Guest extends Entered {
  readonly name: string;
  /** By request. */
  readonly asked: Map<number, Ask>;
  isCut: boolean;
  hasPaused: boolean;
}

type Step =
  | { readonly do: 'enter'; readonly who: number }
  | { readonly do: 'ask'; readonly who: number; readonly ask: Ask; readonly times: number }
  | { readonly do: 'pause' | 'resume' | 'cut' | 'end'; readonly who: number }
  | { readonly do: 'hold'; readonly operation: 'open' | 'append' | 'read' | 'bounds' | 'forget' }
  | { readonly do: 'release' | 'fail' | 'settle' }
  | { readonly do: 'pass'; readonly ms: number };

const NAMES = ['ann', 'ben', 'cyd', 'dot'] as const;
const ROOMS = ['one', 'two', 'lobby'] as const;
const identities = NAMES.map(newIdentity);
const OPERATIONS = ['open', 'append', 'read', 'bounds', 'forget'] as const;

const who = fc.nat({ max: 7 });
const room = fc.constantFrom(...ROOMS).map((name) => name as RoomName);
const user = fc.constantFrom(...NAMES, 'eve').map((name) => name as UserName);
const penalty = fc.constantFrom('ban', 'mute');
const reason = fc.constantFrom(null, 'why');
const body = fc.constantFrom('', 'short', 'x'.repeat(15_000));
const asks: fc.Arbitrary<Ask> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .record({
        type: fc.constant('say' as const),
        again: fc.boolean(),
        room,
        kind: fc.constant('text' as const),
        body,
      })
      .map((say) => ({ ...say, id: newMessageId() })),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('join' as const),
      room,
      watch: fc.boolean(),
      code: fc.constant(null),
      create: fc.constant(null),
    }),
  },
  fc.record({ type: fc.constant('leave' as const), room }),
  fc
    .record({ type: fc.constant('tell' as const), to: user, kind: fc.constant('action' as const), body })
    .map((tell) => ({ ...tell, id: newMessageId() })),
  fc.record({ type: fc.constant('nick' as const), name: user }),
  fc.record({ type: fc.constant('topic' as const), room, topic: reason }),
  fc.record({ type: fc.constant('away' as const), text: reason }),
  fc.record({ type: fc.constant('typing' as const), room }),
  fc.record({ type: fc.constant('names' as const), room }),
  fc.record({ type: fc.constant('whois' as const), name: user }),
  fc.record({
    type: fc.constant('history' as const),
    room,
    after: fc.constantFrom(null, 0, 3),
    before: fc.constantFrom(null, 9),
    sinceMs: fc.constant(null),
    limit: fc.constantFrom(0, 2, 200),
  }),
  fc.record({ type: fc.constant('kick' as const), room, name: user, reason }),
  fc.record({ type: fc.constant('ban' as const), room, target: user, penalty, durationMs: fc.constant(500), reason }),
  fc.record({ type: fc.constant('unban' as const), room, target: user, penalty }),
  fc.constant({ type: 'ping' } as const),
  fc.constant({ type: 'rooms' } as const),
);
const steps: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('enter' as const), who }) },
  {
    weight: 40,
    arbitrary: fc.record({ do: fc.constant('ask' as const), who, ask: asks, times: fc.constantFrom(1, 1, 2, 30) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('cut' as const, 'end' as const), who }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hold' as const), operation: fc.constantFrom(...OPERATIONS) }) },
  {
    weight: 5,
    arbitrary: fc.record({
      do: fc.constantFrom('release' as const, 'release' as const, 'fail' as const, 'settle' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 300, 1_500) }) },
);

/** The same scripts every time; BCAST_TEST_SEED and BCAST_TEST_RUNS look further. */
const { BCAST_TEST_SEED: seed = '1', BCAST_TEST_RUNS: runs = '100' } = process.env;
const timeoutMs = 120_000 * Math.ceil(Number(runs) / 100);

test(
  'whatever happens, every request is answered once, no message is missed unsaid, and nothing is left',
  async () => {
    const tally: Tally = { answered: 0, heard: 0, lagged: 0, closed: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 30, maxLength: 250, size: 'max' }), async (script) => {
        const run = new Run(tally);
        await run.begin();
        for (const step of script) await run.take(step);
        await run.finish();
      }),
      // Looking for a shorter script ends in time for the failure to be told.
      { seed: Number(seed), numRuns: Number(runs), interruptAfterTimeLimit: 0.75 * timeoutMs },
    );
    expect(tally.answered).toBeGreaterThan(1_000);
    expect(tally.heard).toBeGreaterThan(1_000);
    expect(tally.lagged).toBeGreaterThan(10);
    expect(tally.closed).toBeLessThan(Number(runs));
  },
  timeoutMs,
);

/** Whether the scripts led anywhere. */
interface Tally {
  answered: number;
  heard: number;
  lagged: number;
  closed: number;
}

class Run {
  readonly #harness = new SessionHarness({
    sendQueueBytes: 65_536,
    sendQueueMessages: 16,
    historyMessages: 5,
    emptyRoomTtl: 1_000,
    maxSessionsPerUser: 3,
    maxRooms: 3,
    idleTimeout: 1e9,
    slowReaderTimeout: 1e9,
    messageBurst: 1e6,
    byteBurst: 1e9,
  });
  readonly #guests: Guest[] = [];
  readonly #gates: Gate[] = [];
  readonly #tally: Tally;

  constructor(tally: Tally) {
    this.#tally = tally;
  }

  /** Everybody in every room. */
  async begin(): Promise<void> {
    for (const [which] of NAMES.entries()) await this.#enter(which);
    for (const guest of this.#guests) for (const name of ROOMS) await guest.peer.join(name, true);
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case 'enter':
        return this.#enter(step.who % NAMES.length);
      case 'ask':
        return this.#with(step.who, (guest) => askOften(guest, step.ask, step.times));
      case 'pause':
        return this.#with(step.who, (guest) => {
          guest.hasPaused = true;
          guest.transport.pause();
        });
      case 'resume':
        return this.#with(step.who, ({ transport }) => transport.resume());
      case 'cut':
        return this.#with(step.who, (guest) => {
          guest.isCut = true;
          guest.cut();
        });
      case 'end':
        return this.#with(step.who, (guest) => {
          guest.isCut = true;
          guest.session.end(new BcastError('KICKED'));
        });
      case 'hold':
        this.#gates.push(this.#harness.store.hold(step.operation));
        return;
      case 'release':
        this.#gates.shift()?.release();
        return;
      case 'fail':
        this.#gates.shift()?.fail();
        return;
      case 'settle':
        return this.#harness.settle(3);
      case 'pass':
        this.#harness.clock.advance(step.ms);
        return;
    }
  }

  /** Lets everything come to its end and looks at what everybody heard. */
  async finish(): Promise<void> {
    for (const { transport } of this.#guests) transport.resume();
    for (const operation of OPERATIONS) this.#harness.store.hold(operation).release();
    for (const gate of this.#gates) gate.release();
    const here = await this.#settleGuests();
    for (const guest of here) {
      this.#tally.answered += guest.asked.size;
      this.#tally.lagged += guest.peer.seen('lagged').length;
      expectAnsweredOnce(guest);
      this.#tally.heard += expectNothingMissed(guest);
    }
    this.#expectConsistent(here);
    expect(this.#harness.log.text).not.toMatch(/"level":60|request failed.*TypeError/);
    for (const guest of this.#guests) guest.cut();
    await this.#harness.settle(5);
    for (let i = 0; i < 4; i += 1) {
      this.#harness.clock.advance(6_000);
      await this.#harness.settle(3);
    }
    const { hub, sessions, clock } = this.#harness;
    expect([sessions.size, hub.users.size, hub.rooms.size]).toEqual([0, 0, 0]);
    // The heartbeat's.
    expect(clock.pendingTimers).toBe(1);
  }

  /**
   * Whoever is still here when nobody has anything under way any more. One may be closed after it has answered, by what
   * another one's requests lead to; so all are asked twice.
   */
  async #settleGuests(): Promise<readonly Guest[]> {
    for (let i = 0; i < 2; i += 1) {
      for (const guest of this.#guests) {
        if (!guest.isCut) await guest.peer.settle().catch(() => this.#noteClosed(guest));
      }
    }
    return this.#guests.filter(({ isCut }) => !isCut);
  }

  /**
   * With queues this small a burst may be too much for a session that must be told something just then. It hears why,
   * unless it does not read for so long that the connection goes first.
   */
  #noteClosed(guest: Guest): void {
    guest.isCut = true;
    this.#tally.closed += 1;
    const told = { type: 'error', req: null, code: ERRORS.SLOW_READER.wire };
    if (!guest.hasPaused) expect(guest.peer.events.at(-1)).toMatchObject(told);
  }

  async #enter(which: number): Promise<void> {
    const name = NAMES[which] as string;
    const identity = identities[which] as ReturnType<typeof newIdentity>;
    const entered = await this.#harness.enterPeer(name, { identity, suite: 1 }).catch(() => undefined);
    if (entered !== undefined)
      this.#guests.push({ ...entered, name, asked: new Map(), isCut: false, hasPaused: false });
  }

  #with(index: number, act: (guest: Guest) => void): void {
    const guest = this.#guests[index % Math.max(1, this.#guests.length)];
    if (guest !== undefined && !guest.isCut) act(guest);
  }

  #expectConsistent(here: readonly Guest[]): void {
    const { hub, sessions } = this.#harness;
    expect(sessions.size).toBeGreaterThanOrEqual(here.length);
    for (const one of hub.users.all()) expect(one.sessions.size).toBeGreaterThan(0);
    for (const occupied of hub.rooms.occupied()) {
      expect(occupied.holds).toBe(0);
      expect(hub.rooms.find(occupied.name)).toBe(occupied);
      const users = new Set([...occupied.members].map(({ session }) => session.user));
      expect(occupied.userCount).toBe(users.size);
      for (const member of occupied.members) expect(member.session.rooms.get(occupied)).toBe(member);
    }
  }
}

function askOften({ peer, asked }: Guest, ask: Ask, times: number): void {
  for (let i = 0; i < times; i += 1) {
    const each = 'id' in ask ? { ...ask, id: newMessageId() } : ask;
    asked.set(peer.send(each), each);
  }
}

function expectAnsweredOnce({ asked, peer }: Guest): void {
  const answers = new Map<number, number>();
  for (const event of peer.events) {
    if ((event.type === 'ok' || event.type === 'error') && event.req !== null)
      answers.set(event.req, (answers.get(event.req) ?? 0) + 1);
  }
  for (const [req, { type }] of asked) expect(answers.get(req), `${type} ${req}`).toBe(1);
}

/** What a session knows of a room it is in. */
interface Place {
  next: number;
  /** Seqs that were jumped over and not excused by a lagged yet. */
  missing: number;
  /** A lagged came, and no seq after it yet: what it speaks of shows with the next. */
  isExcused: boolean;
}

/**
 * While in a room: every seq once and in order, one's own as ok, or a lagged that says that some were left out. Returns
 * how many messages were heard.
 */
function expectNothingMissed({ peer, asked }: Guest): number {
  const places = new Map<string, Place>();
  let heard = 0;
  for (const event of peer.events) {
    const ask = event.type === 'ok' ? asked.get(event.req) : undefined;
    if (event.type === 'removed') places.delete(event.room);
    else if (ask?.type === 'leave') places.delete(ask.room);
    else if (event.type === 'joined') enter(places, event);
    else if (event.type === 'lagged') excuse(places.get(event.room));
    const told = placeOf(event, ask);
    const place = told && places.get(told.room);
    if (told === undefined || place === undefined) continue;
    hear(place, told.seq);
    heard += 1;
  }
  for (const [name, { missing }] of places) expect(missing, `left out of ${name}`).toBe(0);
  return heard;
}

/** The room and seq that an event tells of, another's message or one's own that is stored. */
function placeOf(event: Event, ask: Ask | undefined): { readonly room: RoomName; readonly seq: number } | undefined {
  if (event.type === 'message') return event;
  if (event.type !== 'ok' || event.seq === null || ask?.type !== 'say') return undefined;
  return { room: ask.room, seq: event.seq };
}

function enter(places: Map<string, Place>, { room: name, last }: Events['joined']): void {
  const place = places.get(name);
  if (place === undefined) places.set(name, { next: last + 1, missing: 0, isExcused: false });
  else goTo(place, last + 1);
}

function excuse(place: Place | undefined): void {
  if (place === undefined) return;
  place.missing = 0;
  place.isExcused = true;
}

function hear(place: Place, seq: number): void {
  expect(seq).toBeGreaterThanOrEqual(place.next);
  goTo(place, seq);
  place.next = seq + 1;
  place.isExcused = false;
}

function goTo(place: Place, next: number): void {
  if (!place.isExcused) place.missing += next - place.next;
  place.next = next;
}
