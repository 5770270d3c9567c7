import { BcastError } from '../../lib/errors.ts';
import type { RoomRow } from '../../lib/protocol/messages.ts';
import type { NameKey } from '../../lib/protocol/names.ts';
import type {
  Backplane,
  BackplaneHandler,
  Draft,
  FoundHolder,
  Holder,
  NetworkNews,
  RemoteMember,
  RoomNews,
  Store,
} from '../../lib/server/hub/ports.ts';

/** Whether and how what one node tells another arrives. */
export type Fate = 'arrives' | 'is lost' | 'comes twice';

interface Name {
  subject: string;
  /** What it was before or after it was registered. */
  was: string | null;
  holder: Holder;
  readonly sessions: Set<string>;
}

/** Several nodes on one store in memory. What they tell each other arrives by itself, later, unless a test sees to that. */
export class MemoryNetwork {
  readonly store: Store;
  readonly names = new Map<NameKey, Name>();
  /** By room and node; a node that only has the room open has nobody in it. */
  readonly members = new Map<NameKey, Map<string, Map<NameKey, Holder>>>();
  readonly nodes = new Map<string, MemoryNode>();
  /** Asked of each stored batch on its way to a node. */
  fateOfMessages: () => Fate = () => 'arrives';
  #held: (() => void)[] | null = null;
  #count = 0;

  constructor(store: Store) {
    this.store = store;
  }

  node(): MemoryNode {
    this.#count += 1;
    const node = new MemoryNode(this, `n${this.#count}`);
    return node;
  }

  /** From now on nothing arrives until `flow`. */
  hold(): void {
    this.#held ??= [];
  }

  /** Lets everything arrive that is on its way, in the order a test chooses. */
  flow(order: <T>(waiting: T[]) => T[] = (waiting) => waiting): void {
    const waiting = order(this.#held ?? []);
    this.#held = null;
    for (const deliver of waiting) queueMicrotask(deliver);
  }

  /** To all nodes that can hear, but `from`. */
  tellOthers(from: MemoryNode, tell: (to: MemoryNode) => void): void {
    if (from.isCut) return;
    for (const to of this.nodes.values()) {
      if (to === from || to.isCut) continue;
      const deliver = (): void => {
        if (!to.isCut && this.nodes.has(to.id)) tell(to);
      };
      if (this.#held !== null) this.#held.push(deliver);
      else queueMicrotask(deliver);
    }
  }

  /** The node ends without a word, and the others find out. */
  kill(node: MemoryNode): void {
    node.isCut = true;
    this.forget(node);
  }

  /** What a node holds has lapsed: it is gone for the others. */
  forget(node: MemoryNode): void {
    this.nodes.delete(node.id);
    for (const [key, { sessions }] of this.names) {
      for (const session of sessions) if (session.startsWith(`${node.id} `)) sessions.delete(session);
      if (sessions.size === 0) this.names.delete(key);
    }
    for (const byNode of this.members.values()) byNode.delete(node.id);
    for (const other of this.nodes.values()) other.handler.onNodeGone(node.id);
  }
}

/** One node: its backplane, and the shared store as it sees it. */
export class MemoryNode implements Backplane {
  readonly isAlone = false;
  readonly id: string;
  readonly store: Store;
  isCut = false;
  handler!: BackplaneHandler;
  readonly #network: MemoryNetwork;
  /** What this node holds, whatever the network remembers. */
  readonly #held = new Map<NameKey, { holder: Holder; readonly sessions: Set<string> }>();
  readonly #rooms = new Map<NameKey, Map<NameKey, Holder>>();
  #whenBack: (() => void)[] = [];

  constructor(network: MemoryNetwork, id: string) {
    this.#network = network;
    this.id = id;
    this.store = this.#sharedStore();
  }

  /** Out of reach of everything shared, until `comeBack`. */
  cut(): void {
    this.isCut = true;
  }

  /** Back again, and says again what it holds. */
  comeBack(): void {
    this.isCut = false;
    this.#network.nodes.set(this.id, this);
    for (const resolve of this.#whenBack.splice(0)) resolve();
    for (const [key, { holder, sessions }] of [...this.#held]) {
      const name = this.#network.names.get(key);
      if (name !== undefined && name.subject !== holder.subject && name.was !== holder.subject) {
        this.#held.delete(key);
        this.handler.onNameLost(key);
      } else {
        const kept = name ?? { subject: holder.subject, was: null, holder, sessions: new Set<string>() };
        for (const session of sessions) kept.sessions.add(`${this.id} ${session}`);
        this.#network.names.set(key, kept);
      }
    }
    for (const [room, members] of this.#rooms) {
      this.#byNode(room).set(this.id, new Map(members));
      this.#network.tellOthers(this, (to) => to.refresh(room));
      this.refresh(room);
    }
    this.handler.onReturned();
  }

  refresh(room: NameKey): void {
    if (this.#rooms.has(room)) this.handler.onMembers(room, this.#othersIn(room));
  }

  async start(handler: BackplaneHandler): Promise<void> {
    this.handler = handler;
    this.#network.nodes.set(this.id, this);
  }

  async stop(): Promise<void> {
    this.#network.forget(this);
  }

  async claim(holder: Holder, session: string, maxSessions: number): Promise<void> {
    await this.#reach();
    const { key, subject } = holder;
    const name = this.#network.names.get(key) ?? { subject, was: null, holder, sessions: new Set<string>() };
    if (name.subject !== subject) throw new BcastError('NAME_IN_USE');
    if (name.sessions.size >= maxSessions) throw new BcastError('TOO_MANY_SESSIONS');
    name.sessions.add(`${this.id} ${session}`);
    this.#network.names.set(key, name);
    const held = this.#held.get(key) ?? { holder, sessions: new Set() };
    held.sessions.add(session);
    this.#held.set(key, held);
  }

  async release(key: NameKey, session: string): Promise<void> {
    const held = this.#held.get(key);
    held?.sessions.delete(session);
    if (held?.sessions.size === 0) this.#held.delete(key);
    if (this.isCut) return;
    const name = this.#network.names.get(key);
    name?.sessions.delete(`${this.id} ${session}`);
    if (name?.sessions.size === 0) this.#network.names.delete(key);
  }

  async describe(holder: Holder): Promise<void> {
    const held = this.#held.get(holder.key);
    if (held !== undefined) held.holder = holder;
    const name = this.#network.names.get(holder.key);
    if (this.isCut || held === undefined || name === undefined) return;
    if (name.subject !== holder.subject) name.was = name.subject;
    name.subject = holder.subject;
    name.holder = holder;
  }

  async find(key: NameKey): Promise<FoundHolder | null> {
    await this.#reach();
    const name = this.#network.names.get(key);
    return name === undefined ? null : { ...name.holder, sessions: name.sessions.size };
  }

  async enter(room: NameKey): Promise<readonly RemoteMember[]> {
    await this.#reach();
    this.#rooms.set(room, new Map());
    this.#byNode(room).set(this.id, new Map());
    return this.#othersIn(room);
  }

  async leave(room: NameKey): Promise<void> {
    this.#rooms.delete(room);
    if (!this.isCut) this.#byNode(room).delete(this.id);
  }

  async setMember(room: NameKey, holder: Holder, isHere: boolean, bytes: Uint8Array | null): Promise<void> {
    const own = this.#rooms.get(room);
    if (isHere) own?.set(holder.key, holder);
    else own?.delete(holder.key);
    const shared = this.#byNode(room).get(this.id);
    if (this.isCut || own === undefined || shared === undefined) return;
    if (isHere) shared.set(holder.key, holder);
    else shared.delete(holder.key);
    this.tellRoom(room, { type: 'member', holder, isHere, bytes });
  }

  tellRoom(room: NameKey, news: RoomNews): void {
    this.#network.tellOthers(this, (to) => {
      if (to.#rooms.has(room)) to.handler.onRoomNews(room, this.id, news);
    });
  }

  tellAll(news: NetworkNews): void {
    this.#network.tellOthers(this, (to) => to.handler.onNews(news));
  }

  async rooms(): Promise<readonly RoomRow[]> {
    if (this.isCut) return [];
    const others = [...this.#network.nodes.values()].filter((node) => node !== this && !node.isCut);
    return others.flatMap((node) => node.handler.rooms());
  }

  #othersIn(room: NameKey): RemoteMember[] {
    const others = [...this.#byNode(room)].filter(([node]) => node !== this.id);
    return others.flatMap(([node, members]) => [...members.values()].map((holder) => ({ node, holder })));
  }

  #byNode(room: NameKey): Map<string, Map<NameKey, Holder>> {
    const byNode = this.#network.members.get(room) ?? new Map<string, Map<NameKey, Holder>>();
    this.#network.members.set(room, byNode);
    return byNode;
  }

  async #reach(): Promise<void> {
    if (this.isCut) throw new BcastError('UNAVAILABLE');
  }

  #hear(room: NameKey, incarnation: string, messages: Parameters<BackplaneHandler['onMessages']>[2]): void {
    if (this.#rooms.has(room)) this.handler.onMessages(room, incarnation, messages);
  }

  /** As a store on Redis: what is appended is told to the others, waits while it cannot be reached, and the rest fails. */
  #sharedStore(): Store {
    const network = this.#network;
    const { store } = network;
    const append = async (drafts: readonly Draft[]) => {
      if (this.isCut) await new Promise<void>((resolve) => this.#whenBack.push(resolve));
      const answers = await store.append(drafts);
      await this.#feed(drafts, answers);
      return answers;
    };
    const forget = async (room: NameKey) => {
      await this.#reach();
      const others = [...this.#byNode(room).keys()].filter((node) => node !== this.id);
      if (others.length === 0) await store.forget(room);
    };
    return new Proxy(store, {
      get: (target, property) => {
        if (property === 'append') return append;
        if (property === 'forget') return forget;
        const value = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          await this.#reach();
          return Reflect.apply(value, target, args);
        };
      },
    });
  }

  async #feed(drafts: readonly Draft[], answers: Awaited<ReturnType<Store['append']>>): Promise<void> {
    const stored = drafts.flatMap(({ isAgain: _, ...draft }, i) => {
      const answer = answers[i];
      return answer === undefined || answer.isDuplicate ? [] : [{ ...draft, seq: answer.seq, ts: answer.ts }];
    });
    for (const [room, messages] of Map.groupBy(stored, (message) => message.room)) {
      const { incarnation = '' } = (await this.#network.store.bounds(room)) ?? {};
      this.#network.tellOthers(this, (to) => {
        const fate = this.#network.fateOfMessages();
        if (fate !== 'is lost') to.#hear(room, incarnation, messages);
        if (fate === 'comes twice') to.#hear(room, incarnation, messages);
      });
    }
  }
}
