import type { ClientEvent } from '../../../lib/client/events.ts';
import type { Effect, TuiEvent } from '../../../lib/client/tui/effect.ts';
import { type Frame, frameOf } from '../../../lib/client/tui/frame.ts';
import { decodeKeys, NO_KEYS } from '../../../lib/client/tui/keys.ts';
import { entriesOf } from '../../../lib/client/tui/log.ts';
import { plainText } from '../../../lib/client/tui/rows.ts';
import { type Entry, initialState, type State, type Window } from '../../../lib/client/tui/state.ts';
import { update } from '../../../lib/client/tui/update.ts';
import type { Events, MessageKind } from '../../../lib/protocol/messages.ts';
import type { RoomName, UserName } from '../../../lib/protocol/names.ts';

/** 14:02 in whatever time zone the tests run in. */
export const NOON_MS = new Date(2026, 10, 21, 14, 2, 7).getTime();
export const FINGERPRINT = `SHA256:${'A'.repeat(43)}`;

export const room = (name: string): RoomName => name as RoomName;
export const user = (name: string): UserName => name as UserName;

/** A program without a terminal: what went in, and what came out. */
export class Play {
  state: State;
  /** Since the last look. */
  effects: Effect[] = [];

  constructor(columns = 80, rows = 24) {
    this.state = initialState({ columns, rows, nowMs: NOON_MS, me: user('alice') });
  }

  /** Online and in these rooms, the first on screen, the effects of getting there forgotten. */
  static inRooms(rooms: readonly string[], columns = 80, height = 24): Play {
    const play = new Play(columns, height);
    play.client(online());
    for (const name of rooms) play.client(joined(name));
    play.effects = [];
    return play;
  }

  event(event: TuiEvent): this {
    const [state, effects] = update(this.state, event);
    this.state = state;
    this.effects.push(...effects);
    return this;
  }

  client(...events: readonly ClientEvent[]): this {
    for (const event of events) this.event({ type: 'client', event });
    return this;
  }

  /** What a terminal would send: `a\r` types and sends. */
  keys(bytes: string): this {
    const [, events] = decodeKeys(NO_KEYS, new TextEncoder().encode(bytes));
    for (const event of events) this.event(event);
    return this;
  }

  key(name: string): this {
    return this.event({ type: 'key', name });
  }

  wait(ms: number): this {
    return this.event({ type: 'tick', nowMs: this.state.nowMs + ms });
  }

  /** The effects since the last call. */
  took(): Effect[] {
    const { effects } = this;
    this.effects = [];
    return effects;
  }

  get active(): Window {
    return this.state.windows[this.state.active] as Window;
  }

  window(name: string): Window {
    const found = this.state.windows.find((window) => window.name === name);
    if (found === undefined) throw new Error(`no window ${name}`);
    return found;
  }

  /** The lines of a window, as they are kept. */
  entries(name?: string): Entry[] {
    return entriesOf((name === undefined ? this.active : this.window(name)).log);
  }

  /** What the last line of the window on screen says. */
  lastLine(): string {
    const last = this.entries().at(-1);
    if (last === undefined) return '';
    return last.type === 'message' ? `<${last.from}> ${last.body}` : [...last.who, last.text].join(' ').trim();
  }

  get frame(): Frame {
    return frameOf(this.state);
  }

  screen(): string[] {
    return this.frame.lines.map(plainText);
  }
}

export function online(isReconnect = false): ClientEvent {
  const server = { address: 'chat.example.org:9000', fingerprint: FINGERPRINT, suite: 4, trust: 'known' } as const;
  return {
    type: 'status',
    status: {
      state: 'online',
      name: user('alice'),
      role: 'member',
      registered: false,
      motd: null,
      server,
      isReconnect,
    },
  };
}

export function joined(name: string, banner: Partial<Events['joined']> = {}, isRejoin = false): ClientEvent {
  return {
    type: 'joined',
    room: room(name),
    isRejoin,
    banner: {
      type: 'joined',
      req: 1,
      room: room(name),
      incarnation: '0011223344556677',
      last: 0,
      first: 1,
      keep: 50,
      keepMs: 2_592_000_000,
      access: 'open',
      code: null,
      role: 'member',
      owner: null,
      members: 2,
      topic: null,
      ...banner,
    },
  };
}

interface MessageParts {
  readonly seq?: number;
  readonly ts?: number;
  readonly kind?: MessageKind;
  readonly isHistory?: boolean;
}

let seqs = 0;

export function message(name: string, from: string, body: string, parts: MessageParts = {}): ClientEvent {
  seqs += 1;
  const { seq = seqs, ts = NOON_MS, kind = 'text', isHistory = false } = parts;
  return {
    type: 'message',
    room: room(name),
    seq,
    ts,
    from: user(from),
    fp: FINGERPRINT,
    id: seq.toString(16).padStart(32, '0'),
    kind,
    body,
    isHistory,
  };
}

export function privately(from: string, to: string, body: string): ClientEvent {
  seqs += 1;
  const id = seqs.toString(16).padStart(32, '0');
  return { type: 'private', from: user(from), fp: FINGERPRINT, to: user(to), kind: 'text', ts: NOON_MS, id, body };
}

type Change = Events['presence']['changes'][number];

export function presence(
  name: string,
  ...changes: readonly (Partial<Change> & Pick<Change, 'change' | 'name'>)[]
): ClientEvent {
  return {
    type: 'presence',
    room: room(name),
    changes: changes.map((change) => ({ other: null, text: null, ...change })),
  };
}
