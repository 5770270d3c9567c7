import type { Clock } from '../../../clock.ts';
import { BcastError } from '../../../errors.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { FoundHolder, Holder } from '../../hub/ports.ts';
import type { RedisNode } from '../../redis/node.ts';
import { decodeHolder, encodeHolder } from './news.ts';
import { CLAIM, DESCRIBE, FIND, HOLD, RELEASE } from './scripts.ts';

/** After Redis was away, how long those who held a name go before those who want it, in milliseconds. */
const RECLAIM_MS = 3_000;

/** Names that are renewed at the same time. */
const AT_ONCE = 200;

interface Held {
  holder: Holder;
  readonly sessions: Set<string>;
  /** Sessions whose claim is not answered yet. */
  readonly claiming: Set<string>;
}

export interface NamesOptions {
  readonly node: RedisNode;
  readonly clock: Clock;
  /** How long a name is held without a sign of life from its node, in milliseconds. */
  readonly leaseMs: number;
  readonly onLost: (key: NameKey) => void;
}

/** The names that sessions of this node hold, among those of all nodes. */
export class Names {
  readonly #options: NamesOptions;
  readonly #held = new Map<NameKey, Held>();
  #reclaimUntilMs = Number.NEGATIVE_INFINITY;

  constructor(options: NamesOptions) {
    this.#options = options;
  }

  async claim(holder: Holder, session: string, maxSessions: number): Promise<void> {
    const { node, clock } = this.#options;
    const waitMs = this.#reclaimUntilMs - clock.monotonicMs();
    if (waitMs > 0) await node.availability.pause(waitMs);
    const { key, name, subject } = holder;
    const held = this.#held.get(key) ?? { holder, sessions: new Set(), claiming: new Set() };
    this.#held.set(key, held);
    held.claiming.add(session);
    try {
      const args = [node.nodeId, session, subject, encodeHolder(holder), maxSessions, this.#options.leaseMs];
      const answer = await this.#ask(key, CLAIM, args);
      if (answer !== 'OK') throw refusal(answer, name, maxSessions);
      held.sessions.add(session);
    } finally {
      held.claiming.delete(session);
      this.#forgetUnheld(key, held);
    }
  }

  async release(key: NameKey, session: string): Promise<void> {
    const held = this.#held.get(key);
    held?.sessions.delete(session);
    if (held !== undefined) this.#forgetUnheld(key, held);
    // If it cannot be said now, the lease ends by itself.
    await this.#ask(key, RELEASE, [this.#options.node.nodeId, session]).catch(() => undefined);
  }

  async describe(holder: Holder): Promise<void> {
    const held = this.#held.get(holder.key);
    if (held === undefined) return;
    held.holder = holder;
    const args = [this.#options.node.nodeId, holder.subject, encodeHolder(holder)];
    await this.#ask(holder.key, DESCRIBE, args).catch(() => undefined);
  }

  async find(key: NameKey): Promise<FoundHolder | null> {
    const answer = await this.#ask(key, FIND, [this.#options.node.nodeId]);
    if (!Array.isArray(answer)) return null;
    const holder = decodeHolder(answer[0]);
    const sessions = Number(answer[1]);
    return holder !== null && holder.key === key && Number.isSafeInteger(sessions) ? { ...holder, sessions } : null;
  }

  /** Whoever wants a name waits a while: those who held it have to say so first. */
  deferClaims(): void {
    this.#reclaimUntilMs = this.#options.clock.monotonicMs() + RECLAIM_MS;
  }

  /** Says that all names are still held. Rejects when Redis cannot be told. */
  async renew(): Promise<void> {
    const held = [...this.#held].filter(([, { sessions }]) => sessions.size > 0);
    for (let i = 0; i < held.length; i += AT_ONCE) {
      await Promise.all(held.slice(i, i + AT_ONCE).map(([key, each]) => this.#renew(key, each)));
    }
  }

  async #renew(key: NameKey, held: Held): Promise<void> {
    const { holder, sessions, claiming } = held;
    const { node, leaseMs } = this.#options;
    const args = [node.nodeId, holder.subject, encodeHolder(holder), leaseMs, ...sessions, ...claiming];
    const answer = await this.#ask(key, HOLD, args);
    if (answer !== 'LOST' || this.#held.get(key) !== held) return;
    this.#held.delete(key);
    this.#options.onLost(key);
  }

  #ask(key: NameKey, script: typeof CLAIM, args: readonly (string | number)[]): Promise<unknown> {
    const { availability, connection, keys } = this.#options.node;
    const at = keys.name(key);
    return availability.once(at, () => connection.run(script, [at], args));
  }

  #forgetUnheld(key: NameKey, { sessions, claiming }: Held): void {
    if (sessions.size + claiming.size === 0) this.#held.delete(key);
  }
}

function refusal(answer: unknown, name: string, most: number): BcastError {
  if (answer === 'TOO_MANY') {
    const text = `${name} is connected ${most === 1 ? 'already' : `${most} times already, which is the most allowed`}.`;
    return new BcastError('TOO_MANY_SESSIONS', { text });
  }
  if (answer === 'IN_USE')
    return new BcastError('NAME_IN_USE', { text: `The name ${name} is in use by somebody else.` });
  return new BcastError('INTERNAL', { cause: new Error('an answer that no script gives') });
}
