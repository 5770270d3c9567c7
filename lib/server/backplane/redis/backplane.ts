import type { Clock } from '../../../clock.ts';
import type { Logger } from '../../../log.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { Backplane, BackplaneHandler, NetworkNews } from '../../hub/ports.ts';
import type { RedisNode } from '../../redis/node.ts';
import { Subscriber } from '../../redis/subscriber.ts';
import { Names } from './names.ts';
import { type NetworkWord, networkLanguage } from './news.ts';
import { Nodes } from './nodes.ts';
import { RoomLists } from './room-lists.ts';
import { SharedRooms } from './rooms.ts';

/** Between signs of life of a node, and how long it and what it holds lasts without one, in milliseconds. */
const BEAT_MS = 5_000;
const GONE_MS = 15_000;

/** With how many signs of life the members of rooms are kept once. */
const KEEP_BEATS = 4;

export interface RedisBackplaneOptions {
  /** With the scripts of this backplane; its store closes it. */
  readonly node: RedisNode;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told how far a room has got by what another node has stored. */
  readonly onHeard: (room: NameKey, last: number, lastTs: number) => void;
  readonly beatMs?: number;
  readonly goneMs?: number;
}

/** Nodes that share a Redis. */
export class RedisBackplane implements Backplane {
  readonly isAlone = false;
  readonly #options: RedisBackplaneOptions;
  readonly #subscriber: Subscriber;
  readonly #names: Names;
  readonly #nodes: Nodes;
  readonly #lists: RoomLists;
  #shared!: SharedRooms;
  #handler!: BackplaneHandler;
  #beats = 0;
  #returning: 'idle' | 'running' | 'again' = 'idle';
  #isStopped = false;
  #forgetListener: () => void = () => undefined;

  constructor(options: RedisBackplaneOptions) {
    const { node, clock, beatMs = BEAT_MS, goneMs = GONE_MS } = options;
    this.#options = options;
    this.#subscriber = new Subscriber({
      connection: node.connection,
      clock,
      onMessage: (channel, payload) => this.#receive(channel, payload),
      onRestored: () => void this.#return(),
    });
    this.#names = new Names({ node, clock, leaseMs: goneMs, onLost: (key) => this.#handler.onNameLost(key) });
    this.#nodes = new Nodes({
      node,
      clock,
      beatMs,
      goneMs,
      onGone: (gone) => this.#gone(gone),
      onMissed: () => void this.#return(),
      onBeat: () => this.#beat(),
    });
    this.#lists = new RoomLists({
      clock,
      others: () => this.#nodes.others,
      ask: (word) => this.#say(node.keys.network, word),
      answer: (to, word) => this.#say(node.keys.node(to), word),
      ownRooms: () => this.#handler.rooms(),
    });
  }

  async start(handler: BackplaneHandler): Promise<void> {
    const { node, log, onHeard } = this.#options;
    const { availability, connection, keys, nodeId } = node;
    this.#handler = handler;
    const isLive = (other: string) => this.#nodes.isLive(other);
    this.#shared = new SharedRooms({ node, log, subscriber: this.#subscriber, handler, isLive, onHeard });
    for (const channel of [keys.network, keys.node(nodeId)]) {
      await availability.once(channel, () => this.#subscriber.subscribe(channel));
    }
    await this.#nodes.start();
    const forget = availability.onChange((isAvailable) => {
      if (isAvailable) void this.#return();
    });
    this.#forgetListener = forget;
    // A server that was connected to again may have forgotten what it was told.
    connection.onDisturbance(() => void this.#return());
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#forgetListener();
    this.#say(this.#options.node.keys.network, { type: 'bye' });
    await this.#nodes.stop();
    await this.#shared.forgetNode(this.#options.node.nodeId).catch(() => undefined);
    this.#subscriber.close();
  }

  claim: Backplane['claim'] = (holder, session, maxSessions) => this.#names.claim(holder, session, maxSessions);
  release: Backplane['release'] = (key, session) => this.#names.release(key, session);
  describe: Backplane['describe'] = (holder) => this.#names.describe(holder);
  find: Backplane['find'] = (key) => this.#names.find(key);
  enter: Backplane['enter'] = (room) => this.#shared.enter(room);
  leave: Backplane['leave'] = (room) => this.#shared.leave(room);
  setMember: Backplane['setMember'] = (room, holder, isHere, bytes) =>
    this.#shared.setMember(room, holder, isHere, bytes);
  tellRoom: Backplane['tellRoom'] = (room, news) => this.#shared.tell(room, news);
  rooms: Backplane['rooms'] = () => this.#lists.rooms();

  tellAll(news: NetworkNews): void {
    this.#say(this.#options.node.keys.network, news);
  }

  #say(channel: string, word: NetworkWord): void {
    const { connection, nodeId } = this.#options.node;
    connection.command('SPUBLISH', channel, networkLanguage.encode(nodeId, word)).catch(() => undefined);
  }

  #receive(channel: string, payload: Buffer): void {
    const { keys, nodeId } = this.#options.node;
    if (channel !== keys.network && channel !== keys.node(nodeId)) {
      this.#shared.receive(channel, payload);
      return;
    }
    const said = networkLanguage.decode(payload);
    if (said === null) this.#options.log.warn('something that is not from bcast was published on a channel of bcast');
    else if (said.node !== nodeId) this.#hear(said.node, said.word);
  }

  #hear(node: string, word: NetworkWord): void {
    if (word.type === 'rooms?') this.#lists.answer(node, word.token);
    else if (word.type === 'rooms') this.#lists.heard(node, word);
    else if (word.type === 'bye') this.#nodes.leave(node);
    else this.#handler.onNews(word);
  }

  #gone(node: string): void {
    this.#options.log.info({ node }, 'a node is gone');
    this.#handler.onNodeGone(node);
    void this.#shared.forgetNode(node).catch(() => undefined);
  }

  async #beat(): Promise<void> {
    await this.#names.renew();
    this.#beats += 1;
    if (this.#beats % KEEP_BEATS === 0) await this.#shared.keepAll();
    await this.#subscriber.check();
  }

  /**
   * Says again all that this node holds, since Redis, or the others, may have forgotten it; reads again what others hold. When
   * that fails Redis is lost again, and this is done again when it is back.
   */
  async #return(): Promise<void> {
    this.#names.deferClaims();
    if (this.#returning !== 'idle') {
      this.#returning = 'again';
      return;
    }
    do {
      this.#returning = 'running';
      await this.#sayAll().catch((error: unknown) => this.#options.log.debug({ err: error }, 'Redis is not back yet'));
    } while ((this.#returning as string) === 'again' && !this.#isStopped);
    this.#returning = 'idle';
  }

  async #sayAll(): Promise<void> {
    await this.#nodes.beat();
    await this.#names.renew();
    await this.#shared.assertAll();
    // What is read now is only the beginning: the channels must be heard by then.
    if (!this.#subscriber.isWhole) return;
    await this.#shared.refreshAll();
    this.#handler.onReturned();
  }
}
