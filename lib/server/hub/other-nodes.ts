import { BcastError } from '../../errors.ts';
import { MAX_PAGE_MESSAGES } from '../../limits.ts';
import { decodeEvent, encodeEvent } from '../../protocol/codec.ts';
import { type NameKey, nameKey } from '../../protocol/names.ts';
import { enforceNetwork, enforceRoom } from './commands/ban.ts';
import { removeHere } from './commands/kick.ts';
import { takeName } from './commands/nick.ts';
import type { Hub } from './hub.ts';
import type { BackplaneHandler, Holder, NetworkNews, RemoteMember, RoomNews, StoredMessage } from './ports.ts';
import type { Room } from './room.ts';
import { subjectOf } from './user.ts';
import type { UserSession } from './user-session.ts';

/** Does here what other nodes say. Whatever they say goes through the codec before anybody here is told. */
export class OtherNodes implements BackplaneHandler {
  readonly #hub: Hub;

  constructor(hub: Hub) {
    this.#hub = hub;
  }

  onMessages(key: NameKey, incarnation: string, messages: readonly StoredMessage[]): void {
    const { rooms, publisher } = this.#hub;
    rooms.whenThere(key, (room) => {
      if (room.incarnation === incarnation) publisher.receive(room, messages);
    });
  }

  onMembers(key: NameKey, members: readonly RemoteMember[]): void {
    this.#hub.rooms.whenThere(key, (room) => this.#replace(room, members));
  }

  onRoomNews(key: NameKey, node: string, news: RoomNews): void {
    this.#hub.rooms.whenThere(key, (room) => this.#attempt(() => this.#roomNews(room, node, news)));
  }

  onNews(news: NetworkNews): void {
    this.#attempt(() => this.#networkNews(news));
  }

  onNodeGone(node: string): void {
    const { rooms } = this.#hub;
    for (const room of rooms.all()) {
      for (const holder of room.remote.dropNode(node)) this.#gone(room, holder);
      rooms.settle(room);
    }
  }

  onNameLost(key: NameKey): void {
    const user = this.#hub.users.get(key);
    if (user === undefined) return;
    const text = `The name ${user.name} was taken by somebody else while this server was cut off.`;
    this.#hub.expel(user, new BcastError('NAME_IN_USE', { text }));
  }

  onReturned(): void {
    this.#attempt(() => this.#catchUp());
  }

  rooms() {
    return this.#hub.rooms.occupied().map((room) => room.row());
  }

  /** What was told while this node was cut off is lost: all of it is read again. */
  async #catchUp(): Promise<void> {
    const hub = this.#hub;
    await hub.network.load();
    enforceNetwork(hub);
    for (const room of [...hub.rooms.all()]) {
      const before = room.bans;
      await hub.rooms.reload(room);
      enforceRoom(hub, room, before);
      await this.#readMissed(room);
    }
    for (const user of [...hub.users.all()]) {
      if (user.account !== null) hub.followAccount(user.key, await hub.accounts.find(user.key));
      await hub.followings.refresh(user);
    }
  }

  async #readMissed(room: Room): Promise<void> {
    const { publisher, rooms, store } = this.#hub;
    const { last } = await rooms.bounds(room);
    for (let after = room.lastSeq; after < last; ) {
      const missed = await store.read(room.key, { after, limit: MAX_PAGE_MESSAGES });
      if (missed.length === 0) return;
      publisher.receive(room, missed);
      after = missed.at(-1)?.seq ?? last;
    }
  }

  /** Whoever came or went without our hearing of it comes and goes now. */
  #replace(room: Room, members: readonly RemoteMember[]): void {
    const { presence, rooms } = this.#hub;
    const before = new Map([...room.remote.all()].map((holder) => [holder.key, holder]));
    room.remote.reset(members);
    for (const holder of before.values()) this.#gone(room, holder);
    for (const { key, name } of room.remote.all()) {
      if (before.has(key) || this.#isHere(room, key)) continue;
      presence.announce(room, { change: 'join', name, other: null, text: null });
    }
    rooms.settle(room);
  }

  async #roomNews(room: Room, node: string, news: RoomNews): Promise<void> {
    const hub = this.#hub;
    switch (news.type) {
      case 'member':
        this.#member(room, node, news);
        return;
      case 'event':
        this.#tellMembers(room, news.bytes, news.isForWatchers);
        return;
      case 'reached':
        hub.publisher.reach(room, news.seq);
        return;
      case 'changed': {
        const before = room.bans;
        await hub.rooms.reload(room);
        enforceRoom(hub, room, before);
        return;
      }
      case 'forgotten':
        await hub.rooms.drop(room);
        return;
      case 'removed': {
        const user = hub.users.get(news.key);
        if (user !== undefined) removeHere(hub, room, user, news);
        return;
      }
      case 'known':
        hub.guesses.know(room, news.fp);
        return;
      case 'mark':
        room.marks.set(news.subject, news, room.lastSeq);
        return;
    }
  }

  #member(room: Room, node: string, { holder, isHere, bytes }: Extract<RoomNews, { type: 'member' }>): void {
    if (isHere) room.remote.set(node, holder);
    else room.remote.delete(node, holder.key);
    if (bytes !== null) this.#tellMembers(room, bytes, true);
    if (!isHere) this.#hub.rooms.settle(room);
  }

  #gone(room: Room, { key, name }: Holder): void {
    if (this.#isHere(room, key) || room.remote.find(key) !== undefined) return;
    this.#hub.presence.announce(room, { change: 'leave', name, other: null, text: null });
  }

  #isHere(room: Room, key: NameKey): boolean {
    const user = this.#hub.users.get(key);
    return user !== undefined && room.has(user);
  }

  #tellMembers(room: Room, bytes: Uint8Array, isForWatchers: boolean): void {
    const event = decodeEvent(bytes);
    if (event.type === 'presence') for (const change of event.changes) this.#hub.presence.announce(room, change);
    else if (isForWatchers) room.tellWatchers(event);
    else room.tellAll(event);
  }

  async #networkNews(news: NetworkNews): Promise<void> {
    const hub = this.#hub;
    switch (news.type) {
      case 'tell':
        if (hub.isNew(news.id)) this.#tell(hub.users.get(news.key)?.sessions ?? [], news.bytes);
        return;
      case 'published':
        if (!hub.isNew(news.id)) return;
        for (const { sessions } of hub.followings.of(news.subject)) this.#tell(sessions, news.bytes);
        return;
      case 'network':
        await hub.network.load();
        enforceNetwork(hub);
        return;
      case 'expelled': {
        const user = hub.users.get(news.key);
        if (user !== undefined) hub.expel(user, new BcastError('KICKED', { text: news.text }));
        return;
      }
      case 'account':
        hub.followAccount(news.key, await hub.accounts.find(news.key));
        return;
      case 'failed':
        if (news.at === 'login') hub.login.hearFailure(news.keys);
        else hub.guesses.hear(news.keys);
        return;
      case 'proved':
        hub.login.hearProof(news.key, news.address);
        return;
      case 'letIn':
        hub.login.hearLetIn(news.address);
        return;
      case 'followed': {
        const user = hub.users.get(news.key);
        if (user !== undefined) await hub.followings.refresh(user);
        return;
      }
      case 'described':
        await this.#described(news.holder);
        return;
      case 'renamed':
        await this.#renamed(news);
        return;
    }
  }

  /** A user with sessions here too was changed elsewhere. */
  async #described({ key, subject, fps, away }: Holder): Promise<void> {
    const { users, accounts } = this.#hub;
    const user = users.get(key);
    if (user === undefined || !user.fps.some((fp) => fps.includes(fp))) return;
    user.away = away;
    if (subjectOf(user) !== subject) user.account = await accounts.find(key);
  }

  async #renamed({ key, subject, name }: Extract<NetworkNews, { type: 'renamed' }>): Promise<void> {
    const { users, accounts } = this.#hub;
    const user = users.get(key);
    if (user === undefined || subjectOf(user) !== subject || name === user.name) return;
    const account = await accounts.find(nameKey(name));
    const isOwn = account?.fps.some((fp) => user.fps.includes(fp)) ?? false;
    await takeName(this.#hub, user, name, { account: isOwn ? account : null, isFollowed: true });
  }

  #tell(sessions: Iterable<UserSession>, bytes: Uint8Array): void {
    const encoded = encodeEvent(decodeEvent(bytes));
    for (const { outbox } of sessions) if (!outbox.isFull) outbox.send(encoded, 1);
  }

  #attempt(work: () => void | Promise<void>): void {
    Promise.resolve()
      .then(work)
      .catch((error: unknown) => this.#hub.log.warn({ err: error }, 'news of another node could not be followed'));
  }
}
