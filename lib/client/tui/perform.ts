import { toBcastError } from '../../errors.ts';
import type {
  Access,
  BanRow,
  Events,
  MemberRow,
  MessageId,
  MessageKind,
  Role,
  RoomRow,
} from '../../protocol/messages.ts';
import type { UserName } from '../../protocol/names.ts';
import type { Receipt, RoomMessage } from '../events.ts';
import type { Answer, Ask, Effect, TuiEvent } from './effect.ts';

/** What the full screen needs of a client; `Client` is one. */
export interface ChatPort {
  say(room: string, body: string, options: { readonly kind: MessageKind; readonly id: MessageId }): Promise<Receipt>;
  tell(to: string, body: string, options: { readonly kind: MessageKind }): Promise<Receipt>;
  publish(body: string): Promise<Receipt>;
  join(room: string, options: JoinAsked): Promise<unknown>;
  leave(room: string): Promise<void>;
  nick(name: string): Promise<void>;
  topic(room: string, topic: string | null): Promise<void>;
  away(text: string | null): Promise<void>;
  typing(room: string): Promise<void>;
  names(room: string): Promise<readonly MemberRow[]>;
  rooms(): Promise<readonly RoomRow[]>;
  whois(name: string): Promise<Events['user']>;
  history(room: string, query: PageAsked): Promise<readonly RoomMessage[]>;
  search(room: string, words: string, query: { readonly limit: number }): Promise<FoundMessages>;
  receipts(room: string, seq: number): Promise<Events['receipts']>;
  markRead(room: string, seq: number): void;
  kick(room: string, name: string, reason?: string): Promise<void>;
  ban(room: string, target: string, durationMs: number | null, reason?: string): Promise<void>;
  unban(room: string, target: string): Promise<void>;
  bans(room: string): Promise<readonly BanRow[]>;
  mute(room: string, target: string, durationMs: number | null, reason?: string): Promise<void>;
  unmute(room: string, target: string): Promise<void>;
  mutes(room: string): Promise<readonly BanRow[]>;
  role(room: string, name: string, role: Role): Promise<void>;
  retain(room: string, isKept: boolean): Promise<void>;
  setMotd(text: string | null): Promise<void>;
  register(password: string | null): Promise<void>;
  unregister(): Promise<void>;
  follow(name: string): Promise<void>;
  unfollow(name: string): Promise<void>;
  follows(): Promise<readonly UserName[]>;
  invite(room: string, name: string): Promise<void>;
  inviteUrl(room: string): string;
  codeOf(room: string): string | null;
  rotateCode(room: string): Promise<string>;
}

interface JoinAsked {
  readonly backlog: { readonly last: number };
  readonly watch: true;
  readonly code: string | undefined;
  readonly create: Access | undefined;
}

interface PageAsked {
  readonly beforeSeq: number;
  readonly limit: number;
}

interface FoundMessages {
  readonly messages: readonly RoomMessage[];
  readonly fromSeq: number;
}

/** Whom `perform` works with. */
export interface Performing {
  readonly port: ChatPort;
  readonly newId: () => MessageId;
  /** Told what came of it. */
  readonly dispatch: (event: TuiEvent) => void;
}

/** Messages shown on entering a room. */
const BACKLOG_MESSAGES = 100;
/** Messages that a search shows. */
const FOUND_MESSAGES = 30;

/** What goes to the server; the other effects are the terminal's. */
export type ServerEffect = Extract<Effect, { type: 'say' | 'tell' | 'publish' | 'ask' | 'typing' | 'seen' }>;

/** Does what `update` asked for and tells what came of it. Never throws. */
export function perform(effect: ServerEffect, { port, newId, dispatch }: Performing): void {
  const report = (ticket: number, receipt: Promise<Receipt>): void => {
    receipt.then(
      ({ ts }) => dispatch({ type: 'said', ticket, ts }),
      (thrown) => dispatch({ type: 'unsaid', ticket, error: toBcastError(thrown) }),
    );
  };
  switch (effect.type) {
    case 'say': {
      const { ticket, room, body, kind } = effect;
      const id = newId();
      dispatch({ type: 'saying', ticket, id });
      report(ticket, port.say(room, body, { kind, id }));
      return;
    }
    case 'tell':
      report(effect.ticket, port.tell(effect.to, effect.body, { kind: effect.kind }));
      return;
    case 'publish':
      report(effect.ticket, port.publish(effect.body));
      return;
    case 'seen':
      port.markRead(effect.room, effect.seq);
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

async function answerTo(port: ChatPort, ask: Ask): Promise<Answer> {
  switch (ask.what) {
    case 'names':
      return { type: 'members', members: await port.names(ask.room) };
    case 'rooms':
      return { type: 'rooms', rooms: await port.rooms() };
    case 'whois':
      return { type: 'user', user: await port.whois(ask.name) };
    case 'bans':
      return { type: 'bans', bans: await (ask.penalty === 'ban' ? port.bans(ask.room) : port.mutes(ask.room)) };
    case 'older': {
      const { room, before, limit } = ask;
      return { type: 'messages', messages: await port.history(room, { beforeSeq: before, limit }) };
    }
    case 'search':
      return { type: 'found', ...(await port.search(ask.room, ask.words, { limit: FOUND_MESSAGES })) };
    case 'receipts':
      return { type: 'receipts', receipts: await port.receipts(ask.room, ask.seq) };
    case 'follows':
      return { type: 'follows', names: await port.follows() };
    case 'link':
      return { type: 'link', url: port.inviteUrl(ask.room) };
    case 'code':
      return { type: 'code', code: ask.isNew ? await port.rotateCode(ask.room) : port.codeOf(ask.room) };
    default:
      await actOn(port, ask);
      return { type: 'done' };
  }
}

type Told = 'names' | 'rooms' | 'whois' | 'bans' | 'older' | 'search' | 'receipts' | 'follows' | 'link' | 'code';

/** The questions that are answered by yes or no. */
function actOn(port: ChatPort, ask: Exclude<Ask, { what: Told }>): Promise<unknown> {
  switch (ask.what) {
    case 'join': {
      const { room, code, create } = ask;
      const backlog = { last: BACKLOG_MESSAGES };
      return port.join(room, { backlog, watch: true, code: code ?? undefined, create: create ?? undefined });
    }
    case 'leave':
      return port.leave(ask.room);
    case 'topic':
      return port.topic(ask.room, ask.topic);
    case 'nick':
      return port.nick(ask.name);
    case 'away':
      return port.away(ask.text);
    case 'register':
      return port.register(ask.password);
    case 'unregister':
      return port.unregister();
    case 'follow':
      return ask.isOn ? port.follow(ask.name) : port.unfollow(ask.name);
    case 'motd':
      return port.setMotd(ask.text);
    default:
      return moderate(port, ask);
  }
}

type Moderation = Extract<Ask, { what: 'kick' | 'ban' | 'unban' | 'role' | 'invite' | 'retain' }>;

function moderate(port: ChatPort, ask: Moderation): Promise<unknown> {
  switch (ask.what) {
    case 'kick':
      return port.kick(ask.room, ask.name, ask.reason ?? undefined);
    case 'ban': {
      const { room, target, durationMs, reason } = ask;
      if (ask.penalty === 'mute') return port.mute(room, target, durationMs, reason ?? undefined);
      return port.ban(room, target, durationMs, reason ?? undefined);
    }
    case 'unban':
      return ask.penalty === 'mute' ? port.unmute(ask.room, ask.target) : port.unban(ask.room, ask.target);
    case 'role':
      return port.role(ask.room, ask.name, ask.role);
    case 'invite':
      return port.invite(ask.room, ask.name);
    case 'retain':
      return port.retain(ask.room, ask.isKept);
    default:
      return ask satisfies never;
  }
}
