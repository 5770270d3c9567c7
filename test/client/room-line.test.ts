import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../lib/client/connection.ts';
import type { ClientEvent, RoomMessage } from '../../lib/client/events.ts';
import { type Backlog, RoomLine } from '../../lib/client/room-line.ts';
import { BcastError } from '../../lib/errors.ts';
import { MAX_PAGE_MESSAGES } from '../../lib/limits.ts';
import type { Event, Events, PastMessage, Requests } from '../../lib/protocol/messages.ts';
import { requireRoomName, requireUserName } from '../../lib/protocol/names.ts';

const ROOM = requireRoomName('lobby');
const BOB = requireUserName('bob');
const FP = `SHA256:${'A'.repeat(43)}`;

function past(seq: number): PastMessage {
  const id = seq.toString(16).padStart(32, '0');
  return { seq, ts: seq * 1_000, from: BOB, fp: FP, id, kind: 'text', body: `m${seq}` };
}

function live(seq: number): RoomMessage {
  return { ...past(seq), type: 'message', room: ROOM, isHistory: false };
}

type Query = Omit<Requests['history'], 'type' | 'req' | 'room'>;

/** A room's history as the server answers for it. */
class History {
  incarnation = '0'.repeat(16);
  last = 0;
  keep: number;

  constructor(last: number, keep: number = Number.MAX_SAFE_INTEGER) {
    this.last = last;
    this.keep = keep;
  }

  get first(): number {
    return Math.max(1, this.last - this.keep + 1);
  }

  joined(): Events['joined'] {
    const { incarnation, first, last, keep } = this;
    const rest = {
      keep,
      keepMs: 1e9,
      access: 'open',
      code: null,
      role: 'member',
      owner: null,
      members: 1,
      topic: null,
    } as const;
    return { type: 'joined', req: 1, room: ROOM, incarnation, first, last, ...rest };
  }

  answer({ after, before, sinceMs, limit }: Query): Answer {
    const rows: Event[] = [];
    if (after !== null && after + 1 < this.first) {
      rows.push({ type: 'gap', req: 1, room: ROOM, first: after + 1, last: this.first - 1 });
    }
    const found: PastMessage[] = [];
    for (let seq = this.first; seq <= this.last; seq += 1) found.push(past(seq));
    const fitting = found.filter(
      ({ seq, ts }) => seq > (after ?? 0) && seq < (before ?? Infinity) && ts >= (sinceMs ?? 0),
    );
    const messages = after === null ? fitting.slice(-limit) : fitting.slice(0, limit);
    if (messages.length > 0) rows.push({ type: 'history', req: 1, room: ROOM, messages });
    return { ok: { type: 'ok', req: 1, seq: null, ts: null }, rows };
  }
}

/** A line whose requests wait until the test answers them. */
function lineOf(history: History) {
  const told: string[] = [];
  const asked: { query: Query; settle: (answer: Answer | BcastError) => void }[] = [];
  const failures: BcastError[] = [];
  let caughtUp = 0;
  const line = new RoomLine(ROOM, {
    emit: (event) => told.push(tell(event)),
    fetch: (query, settle) => asked.push({ query, settle }),
    onCaughtUp: () => {
      caughtUp += 1;
    },
    onFailure: (error) => failures.push(error),
  });
  return {
    line,
    told,
    asked,
    failures,
    caughtUp: () => caughtUp,
    enter: (backlog?: Backlog) => line.enter(history.joined(), backlog),
    /** Answers the oldest open request. */
    answer(): boolean {
      const next = asked.shift();
      next?.settle(history.answer(next.query));
      return next !== undefined;
    },
    answerAll(): void {
      for (let next = asked.shift(); next !== undefined; next = asked.shift()) next.settle(history.answer(next.query));
    },
    cut(): void {
      for (const { settle } of asked.splice(0)) settle(new BcastError('CONNECTION_LOST'));
    },
  };
}

function tell(event: ClientEvent): string {
  switch (event.type) {
    case 'message':
      return `${event.isHistory ? 'h' : ''}${event.seq}`;
    case 'gap':
      return `gap ${event.first}-${event.last}`;
    default:
      return event.type;
  }
}

describe('entering', () => {
  test('without a backlog asks for nothing and goes on live', () => {
    const { line, told, asked, enter, caughtUp } = lineOf(new History(10));
    enter();
    expect(caughtUp()).toBe(1);
    line.take(live(11));
    line.take(live(12));
    expect(told).toEqual(['11', '12']);
    expect(asked).toEqual([]);
  });

  test('with the last few tells them first, marked as history, and holds live ones back meanwhile', () => {
    const history = new History(10);
    const { line, told, enter, answerAll, caughtUp } = lineOf(history);
    enter({ last: 3 });
    history.last = 11;
    line.take(live(11));
    expect(told).toEqual([]);
    expect(caughtUp()).toBe(0);
    answerAll();
    expect(told).toEqual(['h8', 'h9', 'h10', '11']);
    expect(caughtUp()).toBe(1);
  });

  test.each<[string, Backlog, string[]]>([
    ['more than there are', { last: 99 }, ['h4', 'h5', 'h6']],
    ['none', { last: 0 }, []],
    ['those after a seq', { afterSeq: 4 }, ['h5', 'h6']],
    ['those after a seq that is no longer kept', { afterSeq: 1 }, ['gap 2-3', 'h4', 'h5', 'h6']],
    ['those after a seq that is still to come', { afterSeq: 99 }, []],
    ['those since a moment', { sinceMs: 5_000 }, ['h5', 'h6']],
    ['those since a moment before the first kept', { sinceMs: 1 }, ['h4', 'h5', 'h6']],
    ['those since a moment after the last', { sinceMs: 7_000 }, []],
  ])('tells %s', (_, backlog, expected) => {
    const { line, told, enter, answerAll, caughtUp } = lineOf(new History(6, 3));
    enter(backlog);
    answerAll();
    expect(told).toEqual(expected);
    expect(caughtUp()).toBe(1);
    line.take(live(7));
    expect(told.at(-1)).toBe('7');
  });

  test('an empty room with any backlog begins with the first message', () => {
    for (const backlog of [{ last: 5 }, { afterSeq: 0 }, { sinceMs: 0 }]) {
      const { line, told, asked, enter } = lineOf(new History(0));
      enter(backlog);
      expect(asked).toEqual([]);
      line.take(live(1));
      expect(told).toEqual(['1']);
    }
  });

  test('reads a long backlog page by page', () => {
    const count = MAX_PAGE_MESSAGES * 2 + 10;
    const { told, enter, answerAll } = lineOf(new History(count));
    enter({ last: count });
    answerAll();
    expect(told).toEqual(Array.from({ length: count }, (_, i) => `h${i + 1}`));
  });

  test('cut while it looks for its beginning, begins anew with the next entry', () => {
    const history = new History(6);
    const { told, enter, cut, answerAll, caughtUp } = lineOf(history);
    enter({ sinceMs: 5_000 });
    cut();
    enter({ sinceMs: 5_000 });
    answerAll();
    expect(told).toEqual(['h5', 'h6']);
    expect(caughtUp()).toBe(1);
  });
});

describe('live', () => {
  test('fills a hole from history, in order, before what came behind it', () => {
    const history = new History(10);
    const { line, told, enter, answer, answerAll } = lineOf(history);
    enter();
    history.last = 15;
    line.take(live(14));
    line.take(live(15));
    expect(told).toEqual([]);
    answer();
    expect(told).toEqual(['11', '12', '13', '14', '15']);
    answerAll();
    line.take(live(16));
    expect(told.at(-1)).toBe('16');
  });

  test('says what history no longer has', () => {
    const history = new History(10);
    const { line, told, enter, answerAll } = lineOf(history);
    enter();
    history.last = 20;
    history.keep = 3;
    line.take(live(20));
    answerAll();
    expect(told).toEqual(['gap 11-17', '18', '19', '20']);
  });

  test('with a server that keeps nothing says the gap and goes on', () => {
    const history = new History(10, 0);
    const { line, told, enter, answerAll, asked } = lineOf(history);
    enter();
    history.last = 12;
    line.take(live(12));
    answerAll();
    expect(asked).toEqual([]);
    expect(told).toEqual(['gap 11-11', '12']);
  });

  test('ignores what it has seen', () => {
    const { line, told, enter } = lineOf(new History(10));
    enter();
    for (const seq of [11, 11, 9, 12, 11, 12]) line.take(live(seq));
    expect(told).toEqual(['11', '12']);
  });

  test('told that it lags, fetches even when nothing more comes', () => {
    const history = new History(10);
    const { line, told, enter, answerAll } = lineOf(history);
    enter();
    history.last = 13;
    line.lag();
    answerAll();
    expect(told).toEqual(['11', '12', '13']);
  });

  test('told that it lags while it reads, reads once more', () => {
    const history = new History(10);
    const { line, told, enter, asked, answerAll } = lineOf(history);
    enter();
    history.last = 12;
    line.lag();
    const first = asked.shift();
    const stale = first === undefined ? undefined : history.answer(first.query);
    history.last = 14;
    line.lag();
    if (stale !== undefined) first?.settle(stale);
    answerAll();
    expect(told).toEqual(['11', '12', '13', '14']);
  });

  test('does not call a hole lost because an answer from before it does not have it', () => {
    const history = new History(20);
    const { line, told, enter, asked, answerAll } = lineOf(history);
    enter();
    line.lag();
    const first = asked.shift();
    const stale = first === undefined ? undefined : history.answer(first.query);
    history.last = 26;
    line.take(live(26));
    if (stale !== undefined) first?.settle(stale);
    answerAll();
    expect(told).toEqual(['21', '22', '23', '24', '25', '26']);
  });

  test('keeps within its bounds when much comes live while it reads, and loses nothing', () => {
    const history = new History(0);
    const { line, told, enter, answerAll } = lineOf(history);
    enter();
    history.last = 301;
    const large = 'x'.repeat(65_536);
    for (let seq = 2; seq <= 301; seq += 1) line.take({ ...live(seq), body: large });
    answerAll();
    expect(told).toEqual(Array.from({ length: 301 }, (_, i) => `${i + 1}`));
  });
});

describe('held', () => {
  test('emits nothing and asks nothing until it may go on, and then has lost nothing', () => {
    const history = new History(10);
    const { line, told, enter, asked, answerAll } = lineOf(history);
    enter();
    line.hold();
    history.last = 12;
    line.take(live(11));
    line.take(live(12));
    expect([told, asked]).toEqual([[], []]);
    line.go();
    answerAll();
    expect(told).toEqual(['11', '12']);
    line.take(live(13));
    expect(told.at(-1)).toBe('13');
  });

  test('leaves what is too much in history', () => {
    const history = new History(0);
    const { line, told, enter, asked, answerAll } = lineOf(history);
    enter();
    line.hold();
    const large = 'x'.repeat(65_536);
    for (history.last = 1; history.last <= 300; history.last += 1) line.take({ ...live(history.last), body: large });
    history.last = 300;
    line.go();
    expect(asked).toHaveLength(1);
    expect(told.length).toBeGreaterThan(100);
    answerAll();
    expect(told).toEqual(Array.from({ length: 300 }, (_, i) => `${i + 1}`));
  });

  test('in the middle of a backlog goes on with it later, and only then has caught up', () => {
    const count = MAX_PAGE_MESSAGES * 3;
    const { line, told, enter, asked, answer, answerAll, caughtUp } = lineOf(new History(count));
    enter({ last: count });
    line.hold();
    answer();
    expect(asked).toEqual([]);
    expect(told).toHaveLength(MAX_PAGE_MESSAGES);
    expect(caughtUp()).toBe(0);
    line.go();
    answerAll();
    expect(told).toHaveLength(count);
    expect(caughtUp()).toBe(1);
  });

  test('over a cut is held still', () => {
    const history = new History(10);
    const { line, told, enter, cut, asked, answerAll } = lineOf(history);
    enter();
    line.hold();
    cut();
    history.last = 12;
    enter();
    expect([told, asked]).toEqual([[], []]);
    line.go();
    answerAll();
    expect(told).toEqual(['11', '12']);
  });
});

describe('over a cut', () => {
  test('fetches what was missed, not marked as history', () => {
    const history = new History(10);
    const { line, told, enter, cut, answerAll } = lineOf(history);
    enter();
    line.take(live(11));
    cut();
    history.last = 13;
    enter();
    answerAll();
    line.take(live(14));
    expect(told).toEqual(['11', '12', '13', '14']);
  });

  test('keeps what waited, for history may not have it any more', () => {
    const history = new History(10);
    const { line, told, enter, cut, answerAll } = lineOf(history);
    enter();
    history.last = 12;
    line.take(live(12));
    cut();
    history.keep = 0;
    enter();
    answerAll();
    expect(told).toEqual(['gap 11-11', '12']);
  });

  test('goes on with a backlog that was cut in the middle', () => {
    const count = MAX_PAGE_MESSAGES + 5;
    const history = new History(count);
    const { told, enter, answer, cut, answerAll, caughtUp } = lineOf(history);
    enter({ last: count });
    answer();
    expect(told).toHaveLength(MAX_PAGE_MESSAGES);
    cut();
    enter({ last: count });
    answerAll();
    expect(told).toEqual(Array.from({ length: count }, (_, i) => `h${i + 1}`));
    expect(caughtUp()).toBe(1);
  });

  test('a new incarnation is said, and its messages told from the first', () => {
    const history = new History(10);
    const { line, told, enter, cut, answerAll } = lineOf(history);
    enter();
    line.take(live(11));
    cut();
    history.incarnation = 'f'.repeat(16);
    history.last = 2;
    enter();
    answerAll();
    line.take(live(3));
    expect(told).toEqual(['11', 'forgotten', '1', '2', '3']);
  });

  test('of a new incarnation too it is said what can no longer be had', () => {
    const history = new History(10);
    const { told, enter, cut, answerAll } = lineOf(history);
    enter();
    cut();
    history.incarnation = 'f'.repeat(16);
    history.last = 5;
    history.keep = 2;
    enter();
    answerAll();
    expect(told).toEqual(['forgotten', 'gap 1-3', '4', '5']);
  });

  test('a server that lost its newest messages has started over', () => {
    const history = new History(10);
    const { told, enter, cut, answerAll } = lineOf(history);
    enter();
    cut();
    history.last = 8;
    history.keep = 1;
    enter();
    answerAll();
    expect(told).toEqual(['forgotten', 'gap 1-7', '8']);
  });

  test('an answer that comes late, from the old connection, changes nothing', () => {
    const history = new History(10);
    const { line, told, enter, asked, answerAll } = lineOf(history);
    enter();
    history.last = 12;
    line.take(live(12));
    const old = asked.shift();
    const late = old === undefined ? undefined : history.answer(old.query);
    history.incarnation = 'f'.repeat(16);
    history.last = 1;
    enter();
    answerAll();
    if (late !== undefined) old?.settle(late);
    line.take(live(2));
    expect(told).toEqual(['forgotten', '1', '2']);
  });

  test('a server that repeats itself in history is not repeated', () => {
    const { line, told, enter, asked } = lineOf(new History(10));
    enter();
    line.lag();
    const messages = [past(10), past(11), past(11), past(12), past(9)];
    const rows = [{ type: 'history', req: 1, room: ROOM, messages }] as const;
    asked.shift()?.settle({ ok: { type: 'ok', req: 1, seq: null, ts: null }, rows });
    expect(told).toEqual(['11', '12']);
  });
});

describe('refused history', () => {
  test('for a fault that may pass is a failure of the link, and the next entry goes on', () => {
    const history = new History(10);
    const { line, told, enter, asked, failures, answerAll } = lineOf(history);
    enter();
    history.last = 12;
    line.take(live(12));
    asked.shift()?.settle(new BcastError('INTERNAL'));
    expect(failures).toHaveLength(1);
    expect(told).toEqual([]);
    enter();
    answerAll();
    expect(told).toEqual(['11', '12']);
  });

  test('for good is a gap', () => {
    const history = new History(10);
    const { line, told, enter, asked } = lineOf(history);
    enter();
    line.take(live(12));
    asked.shift()?.settle(new BcastError('NOT_ALLOWED'));
    expect(told).toEqual(['gap 11-11', '12']);
  });

  test('because we are out of the room is silence', () => {
    const { line, told, enter, asked } = lineOf(new History(10));
    enter();
    line.take(live(12));
    asked.shift()?.settle(new BcastError('NOT_A_MEMBER'));
    expect(told).toEqual([]);
  });

  test('a closed line tells nothing and asks nothing', () => {
    const history = new History(10);
    const { line, told, enter, asked, answerAll, caughtUp } = lineOf(history);
    enter({ last: 5 });
    line.close();
    answerAll();
    line.take(live(11));
    line.lag();
    expect([told, asked, caughtUp()]).toEqual([[], [], 0]);
  });
});

type Step =
  | { readonly type: 'said'; readonly count: number; readonly heard: boolean }
  | { readonly type: 'answer' }
  | { readonly type: 'stale' }
  | { readonly type: 'cut' }
  | { readonly type: 'lag' }
  | { readonly type: 'hold' }
  | { readonly type: 'go' }
  | { readonly type: 'keep'; readonly keep: number };

const steps = fc.array(
  fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({ type: fc.constant('said'), count: fc.integer({ min: 1, max: 250 }), heard: fc.boolean() }),
    },
    { weight: 3, arbitrary: fc.constant({ type: 'answer' }) },
    { weight: 2, arbitrary: fc.constant({ type: 'stale' }) },
    { weight: 1, arbitrary: fc.constant({ type: 'cut' }) },
    { weight: 1, arbitrary: fc.constant({ type: 'lag' }) },
    { weight: 1, arbitrary: fc.constant({ type: 'hold' }) },
    { weight: 1, arbitrary: fc.constant({ type: 'go' }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('keep'), keep: fc.integer({ min: 0, max: 500 }) }) },
  ) as fc.Arbitrary<Step>,
  { maxLength: 40 },
);

/** Plays the script on a line and lets everything come to rest. */
function play(script: readonly Step[], start: number): { readonly told: readonly string[]; readonly last: number } {
  const history = new History(start);
  const { line, told, enter, asked, answer, cut, answerAll } = lineOf(history);
  let stale: (() => void) | undefined;
  const steps: { readonly [T in Step['type']]: (step: Extract<Step, { type: T }>) => void } = {
    said: ({ count, heard }) => {
      for (let i = 0; i < count; i += 1) {
        history.last += 1;
        if (heard) line.take(live(history.last));
      }
      // What the server leaves out it says, sooner or later; here at once.
      if (!heard) line.lag();
    },
    answer: () => void answer(),
    /** The server has read its history, but the answer is still on the way while more is said. */
    stale: () => {
      stale?.();
      const next = asked.shift();
      if (next === undefined) return;
      const computed = history.answer(next.query);
      stale = () => next.settle(computed);
    },
    cut: () => {
      cut();
      stale = undefined;
      enter();
    },
    lag: () => line.lag(),
    hold: () => line.hold(),
    go: () => line.go(),
    keep: ({ keep }) => {
      history.keep = keep;
    },
  };
  enter();
  for (const step of script) (steps[step.type] as (step: Step) => void)(step);
  line.go();
  stale?.();
  answerAll();
  return { told, last: history.last };
}

test('whatever happens, every seq is told once and in order, or its loss is', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 0, max: 300 }), (script, start) => {
      const { told, last } = play(script, start);
      let seen = start;
      for (const text of told) {
        const gap = /^gap (\d+)-(\d+)$/.exec(text);
        const [from, to] = gap === null ? [Number(text), Number(text)] : [Number(gap[1]), Number(gap[2])];
        expect(from).toBe(seen + 1);
        expect(to).toBeGreaterThanOrEqual(from);
        seen = to;
      }
      expect(seen).toBe(last);
    }),
    { numRuns: 500 },
  );
});
