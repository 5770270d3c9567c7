import type { Logger } from '../../../log.ts';
import type { NameKey } from '../../../protocol/names.ts';
import type { BackplaneHandler, Holder, RemoteMember, RoomNews } from '../../hub/ports.ts';
import { decodeFeed, originOf } from '../../redis/feed.ts';
import type { RedisNode } from '../../redis/node.ts';
import type { Subscriber } from '../../redis/subscriber.ts';
import { decodeHolder, encodeHolder, isNode, ROOM_MARK, type RoomWord, roomLanguage } from './news.ts';
import { ASSERT, ENTER, KEEP, LEAVE, MEMBER } from './scripts.ts';

/** How long the members of a room are remembered without a node that says so, in milliseconds. */
const MEMBERS_MS = 60_000;

/** Rooms that are looked after at the same time. */
const AT_ONCE = 100;

interface SharedRoom {
  readonly room: NameKey;
  readonly key: string;
  readonly channel: string;
  /** By way of this node. */
  readonly members: Map<NameKey, Holder>;
  /** What came while the members are being read, and is to be told after them. */
  waiting: (() => void)[] | null;
  /** Whether they have to be read once more. */
  isStale: boolean;
}

export interface SharedRoomsOptions {
  readonly node: RedisNode;
  readonly log: Logger;
  readonly subscriber: Pick<Subscriber, 'subscribe' | 'unsubscribe'>;
  readonly handler: BackplaneHandler;
  /** Whether a node is there. */
  readonly isLive: (node: string) => Promise<boolean>;
  /** How far a room has got by what another node has stored. */
  readonly onHeard: (room: NameKey, last: number, lastTs: number) => void;
}

/** The rooms that this node has open, and who is in them by way of which node. */
export class SharedRooms {
  readonly #options: SharedRoomsOptions;
  readonly #rooms = new Map<NameKey, SharedRoom>();
  readonly #byChannel = new Map<string, SharedRoom>();

  constructor(options: SharedRoomsOptions) {
    this.#options = options;
  }

  async enter(room: NameKey): Promise<readonly RemoteMember[]> {
    const { node, subscriber } = this.#options;
    const { channel, members: key } = node.keys.room(room);
    const shared: SharedRoom = { room, key, channel, members: new Map(), waiting: [], isStale: false };
    this.#rooms.set(room, shared);
    this.#byChannel.set(channel, shared);
    try {
      // First, so that nothing is missed between what is read now and what comes.
      await node.availability.once(key, () => subscriber.subscribe(channel));
      const members = await this.#read(shared);
      this.#tellWaiting(shared);
      return members;
    } catch (error) {
      await this.leave(room);
      throw error;
    }
  }

  async leave(room: NameKey): Promise<void> {
    const { node, subscriber } = this.#options;
    const shared = this.#rooms.get(room);
    if (shared === undefined) return;
    this.#rooms.delete(room);
    this.#byChannel.delete(shared.channel);
    await subscriber.unsubscribe(shared.channel);
    await node.availability
      .once(shared.key, () => node.connection.run(LEAVE, [shared.key], [node.nodeId]))
      .catch(() => undefined);
  }

  /** What cannot be said now is said with the rest when Redis is back. */
  async setMember(room: NameKey, holder: Holder, isHere: boolean, bytes: Uint8Array | null): Promise<void> {
    const { availability, connection, nodeId } = this.#options.node;
    const shared = this.#rooms.get(room);
    if (shared === undefined) return;
    if (isHere) shared.members.set(holder.key, holder);
    else shared.members.delete(holder.key);
    const word = roomLanguage.encode(nodeId, { type: 'member', holder, isHere, bytes });
    const args = [`${nodeId} ${holder.key}`, isHere ? encodeHolder(holder) : '', MEMBERS_MS, shared.channel, word];
    await availability.once(shared.key, () => connection.run(MEMBER, [shared.key], args)).catch(() => undefined);
  }

  tell(room: NameKey, word: RoomNews): void {
    const { connection, keys, nodeId } = this.#options.node;
    const { channel } = keys.room(room);
    connection.command('SPUBLISH', channel, roomLanguage.encode(nodeId, word)).catch(() => undefined);
  }

  /** Says of all rooms that they are open here, and who is in them. Rejects when Redis cannot be told. */
  async assertAll(): Promise<void> {
    await this.#each((shared) => this.#assert(shared));
  }

  /** Keeps what is said of all rooms; what Redis has forgotten is said again. */
  async keepAll(): Promise<void> {
    const { availability, connection, nodeId } = this.#options.node;
    await this.#each(async (shared) => {
      const args = [nodeId, MEMBERS_MS];
      if ((await availability.once(shared.key, () => connection.run(KEEP, [shared.key], args))) !== 1)
        await this.#assert(shared);
    });
  }

  /** Reads the members of all rooms again. Rejects when that cannot be done. */
  async refreshAll(): Promise<void> {
    await this.#each((shared) => this.#refresh(shared));
  }

  /** A node is gone: whoever was in a room by way of it is not there. */
  async forgetNode(node: string): Promise<void> {
    await this.#each((shared) => this.#forget(shared, node));
  }

  receive(channel: string, payload: Buffer): void {
    const shared = this.#byChannel.get(channel);
    if (shared === undefined) return;
    if (payload.toString('latin1', 0, 1) === ROOM_MARK) this.#receiveWord(shared, payload);
    else if (originOf(payload) !== this.#options.node.nodeId) this.#receiveMessages(shared, payload);
  }

  #receiveMessages({ room }: SharedRoom, payload: Buffer): void {
    const { handler, onHeard } = this.#options;
    const batch = decodeFeed(room, payload);
    const last = batch?.messages.at(-1);
    if (batch === null || last === undefined) {
      this.#warn(room);
      return;
    }
    onHeard(room, last.seq, last.ts);
    handler.onMessages(room, batch.incarnation, batch.messages);
  }

  #receiveWord(shared: SharedRoom, payload: Buffer): void {
    const said = roomLanguage.decode(payload);
    if (said === null) this.#warn(shared.room);
    else if (said.node !== this.#options.node.nodeId) this.#hear(shared, said.node, said.word);
  }

  #hear(shared: SharedRoom, node: string, word: RoomWord): void {
    const { room } = shared;
    if (word.type === 'asserted') void this.#refresh(shared).catch(() => undefined);
    else if (shared.waiting === null) this.#options.handler.onRoomNews(room, node, word);
    else shared.waiting.push(() => this.#options.handler.onRoomNews(room, node, word));
  }

  #warn(room: NameKey): void {
    this.#options.log.warn({ room }, 'something that is not from bcast was published on a channel of bcast');
  }

  async #assert({ key, channel, members }: SharedRoom): Promise<void> {
    const { availability, connection, nodeId } = this.#options.node;
    const rows = [...members.values()].flatMap((holder) => [`${nodeId} ${holder.key}`, encodeHolder(holder)]);
    const args = [nodeId, MEMBERS_MS, channel, roomLanguage.encode(nodeId, { type: 'asserted' }), ...rows];
    await availability.once(key, () => connection.run(ASSERT, [key], args));
  }

  async #refresh(shared: SharedRoom): Promise<void> {
    shared.isStale = true;
    if (shared.waiting !== null) return;
    shared.waiting = [];
    try {
      while (shared.isStale && this.#isOpen(shared)) {
        shared.isStale = false;
        const members = await this.#read(shared);
        if (this.#isOpen(shared)) this.#options.handler.onMembers(shared.room, members);
      }
    } finally {
      this.#tellWaiting(shared);
    }
  }

  /** Members by way of nodes that are there; what a dead one has left behind is cleared away. */
  async #read(shared: SharedRoom): Promise<readonly RemoteMember[]> {
    const { node, isLive } = this.#options;
    const { availability, connection, nodeId } = node;
    const answer = await availability.once(shared.key, () => connection.run(ENTER, [shared.key], [nodeId, MEMBERS_MS]));
    const byNode = Map.groupBy(toMembers(answer), (member) => member.node);
    const members: RemoteMember[] = [];
    for (const [other, rows] of byNode) {
      if (other === nodeId) continue;
      if (await isLive(other)) members.push(...rows.flatMap(({ holder }) => (holder ? { node: other, holder } : [])));
      else await this.#forget(shared, other);
    }
    return members;
  }

  async #forget({ key }: SharedRoom, node: string): Promise<void> {
    const { availability, connection } = this.#options.node;
    await availability.once(key, () => connection.run(LEAVE, [key], [node]));
  }

  #tellWaiting(shared: SharedRoom): void {
    const waiting = shared.waiting ?? [];
    shared.waiting = null;
    if (this.#isOpen(shared)) for (const tell of waiting) tell();
    if (shared.isStale && this.#isOpen(shared)) void this.#refresh(shared).catch(() => undefined);
  }

  #isOpen(shared: SharedRoom): boolean {
    return this.#rooms.get(shared.room) === shared;
  }

  async #each(work: (shared: SharedRoom) => Promise<void>): Promise<void> {
    const all = [...this.#rooms.values()];
    for (let i = 0; i < all.length; i += AT_ONCE) {
      await Promise.all(all.slice(i, i + AT_ONCE).map((shared) => (this.#isOpen(shared) ? work(shared) : undefined)));
    }
  }
}

/** Rows of a hash: `node name` and holder; null is a node that only has the room open. Nonsense is left out. */
function toMembers(answer: unknown): { readonly node: string; readonly holder: Holder | null }[] {
  if (!Array.isArray(answer)) return [];
  const members: { node: string; holder: Holder | null }[] = [];
  for (let i = 0; i + 1 < answer.length; i += 2) {
    const [node = '', key = ''] = String(answer[i]).split(' ', 2);
    const holder = key === '' ? null : decodeHolder(answer[i + 1]);
    if (isNode(node) && (key === '' || holder?.key === key)) members.push({ node, holder });
  }
  return members;
}
