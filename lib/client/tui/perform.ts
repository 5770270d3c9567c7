import { toBcastError } from '../../errors.ts';
import type { BanRow, Events, MemberRow, MessageKind, RoomRow } from '../../protocol/messages.ts';
import type { Receipt, RoomMessage } from '../events.ts';
import type { Answer, Ask, Effect, TuiEvent } from './effect.ts';

/** What the full screen needs of a client; `Client` is one. */
export interface ChatPort {
  say(room: string, body: string, options: { readonly kind: MessageKind }): Promise<Receipt>;
  tell(to: string, body: string, options: { readonly kind: MessageKind }): Promise<Receipt>;
  join(room: string, options: { readonly backlog: { readonly last: number }; readonly watch: true }): Promise<unknown>;
  leave(room: string): Promise<void>;
  nick(name: string): Promise<void>;
  topic(room: string, topic: string | null): Promise<void>;
  away(text: string | null): Promise<void>;
  typing(room: string): Promise<void>;
  names(room: string): Promise<readonly MemberRow[]>;
  rooms(): Promise<readonly RoomRow[]>;
  whois(name: string): Promise<Events['user']>;
  history(room: string, query: { readonly beforeSeq: number; readonly limit: number }): Promise<readonly RoomMessage[]>;
  kick(room: string, name: string, reason?: string): Promise<void>;
  ban(room: string, target: string, durationMs: number | null, reason?: string): Promise<void>;
  unban(room: string, target: string): Promise<void>;
  bans(room: string): Promise<readonly BanRow[]>;
}

/** Messages shown on entering a room. */
const BACKLOG_MESSAGES = 100;
/** Messages fetched when the reader reaches the top. */
const PAGE_MESSAGES = 100;

/** What goes to the server; the other effects are the terminal's. */
export type ServerEffect = Extract<Effect, { type: 'say' | 'tell' | 'ask' | 'typing' }>;

/** Does what `update` asked for and tells `dispatch` what came of it. Never throws. */
export function perform(port: ChatPort, effect: ServerEffect, dispatch: (event: TuiEvent) => void): void {
  switch (effect.type) {
    case 'say':
      report(port.say(effect.room, effect.body, { kind: effect.kind }), effect.ticket, dispatch);
      return;
    case 'tell':
      report(port.tell(effect.to, effect.body, { kind: effect.kind }), effect.ticket, dispatch);
      return;
    case 'typing':
      // A courtesy: when it does not get through, nothing is lost.
      port.typing(effect.room).catch(() => undefined);
      return;
    case 'ask': {
      const { ask, window } = effect;
      void answerTo(port, ask)
        .catch((thrown): Answer => ({ type: 'refused', error: toBcastError(thrown) }))
        .then((answer) => dispatch({ type: 'answered', ask, window, answer }));
      return;
    }
    default:
      effect satisfies never;
  }
}

function report(receipt: Promise<Receipt>, ticket: number, dispatch: (event: TuiEvent) => void): void {
  receipt.then(
    ({ ts }) => dispatch({ type: 'said', ticket, ts }),
    (thrown) => dispatch({ type: 'unsaid', ticket, error: toBcastError(thrown) }),
  );
}

async function answerTo(port: ChatPort, ask: Ask): Promise<Answer> {
  switch (ask.what) {
    case 'names':
      return { type: 'members', members: await port.names(ask.room) };
    case 'rooms':
      return { type: 'rooms', rooms: await port.rooms() };
    case 'whois':
      return { type: 'user', user: await port.whois(ask.name) };
    case 'bans':
      return { type: 'bans', bans: await port.bans(ask.room) };
    case 'older':
      return {
        type: 'messages',
        messages: await port.history(ask.room, { beforeSeq: ask.before, limit: PAGE_MESSAGES }),
      };
    default:
      await actOn(port, ask);
      return { type: 'done' };
  }
}

/** The questions that are answered by yes or no. */
function actOn(
  port: ChatPort,
  ask: Exclude<Ask, { what: 'names' | 'rooms' | 'whois' | 'bans' | 'older' }>,
): Promise<unknown> {
  switch (ask.what) {
    case 'join':
      return port.join(ask.room, { backlog: { last: BACKLOG_MESSAGES }, watch: true });
    case 'leave':
      return port.leave(ask.room);
    case 'topic':
      return port.topic(ask.room, ask.topic);
    case 'nick':
      return port.nick(ask.name);
    case 'away':
      return port.away(ask.text);
    case 'kick':
      return port.kick(ask.room, ask.name, ask.reason ?? undefined);
    case 'ban':
      return port.ban(ask.room, ask.target, ask.durationMs, ask.reason ?? undefined);
    case 'unban':
      return port.unban(ask.room, ask.target);
    default:
      return ask satisfies never;
  }
}
