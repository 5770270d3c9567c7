import { describe, expect, test, vi } from 'vitest';
import type { RoomRow } from '../../lib/protocol/messages.ts';
import { type NameKey, nameKey, requireRoomName, requireUserName } from '../../lib/protocol/names.ts';
import type {
  Backplane,
  BackplaneHandler,
  Draft,
  Holder,
  NetworkNews,
  RemoteMember,
  RoomNews,
  Store,
  StoredMessage,
} from '../../lib/server/hub/ports.ts';

/** One node under test, whose hub is a test's own. */
export interface NodeUnderTest {
  readonly backplane: Backplane;
  readonly store: Store;
  /** Ends it as `kill -9` would. */
  die(): void;
  /** Takes everything shared out of its reach, and gives it back; absent where a test cannot. */
  readonly cut?: () => void;
  readonly restore?: () => void;
  /** Lets so much time pass as what the node holds outlives it without a word from it. */
  lapse(): Promise<void>;
}

/** A network of its own for one test; whatever it leaves behind is the caller's to remove when the test ends. */
export interface NetworkUnderTest {
  node(): Promise<NodeUnderTest>;
}

export type CreateNetwork = () => NetworkUnderTest | Promise<NetworkUnderTest>;

const ROOM = 'builds' as NameKey;
const OTHER = 'straße-日本' as NameKey;
const ALICE = holder('Alice');
const MALLORY: Holder = { ...ALICE, subject: fingerprint('M'), fps: [fingerprint('M')] };
const MOST = 5;

/** The contract of the Backplane port. Every implementation passes all of it. */
export function backplaneConformance(name: string, create: CreateNetwork): void {
  describe(`${name} as a backplane`, () => {
    names(create);
    members(create);
    messages(create);
    news(create);
    lists(create);
    endings(create);
  });
}

/** Of networks whose nodes can be cut off. */
export function cutConformance(name: string, create: CreateNetwork): void {
  describe(`${name} as a backplane whose nodes are cut off`, () => {
    cuts(create);
  });
}

function names(create: CreateNetwork): void {
  test('holds a name for one subject on all nodes, for so many sessions', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.claim(ALICE, '1', 2);
    await expect(two.backplane.claim(MALLORY, '1', 2)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
    await two.backplane.claim(ALICE, '1', 2);
    await expect(two.backplane.claim(ALICE, '2', 2)).rejects.toMatchObject({ code: 'TOO_MANY_SESSIONS' });
    await expect(one.backplane.claim(MALLORY, '2', 2)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  });

  test('gives a name free when its last session lets go of it', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.claim(ALICE, '1', MOST);
    await two.backplane.claim(ALICE, '1', MOST);
    await one.backplane.release(ALICE.key, '1');
    await expect(one.backplane.claim(MALLORY, '2', MOST)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
    await two.backplane.release(ALICE.key, '1');
    await one.backplane.claim(MALLORY, '2', MOST);
    expect(await two.backplane.find(ALICE.key)).toEqual({ ...MALLORY, sessions: 1 });
  });

  test('finds whoever has a name, and counts the sessions of all nodes', async () => {
    const [one, two] = await startTwo(create);
    expect(await one.backplane.find(ALICE.key)).toBeNull();
    await one.backplane.claim(ALICE, '1', MOST);
    await two.backplane.claim({ ...ALICE, sinceMs: 9 }, '1', MOST);
    for (const { backplane } of [one, two]) expect(await backplane.find(ALICE.key)).toEqual({ ...ALICE, sessions: 2 });
  });

  test('says what is known of a holder, and keeps the name for who was the same before', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.claim(ALICE, '1', MOST);
    const registered = { ...ALICE, subject: `@${ALICE.key}`, isRegistered: true, away: 'tea ☕' };
    await one.backplane.describe(registered);
    expect(await two.backplane.find(ALICE.key)).toEqual({ ...registered, sessions: 1 });
    await two.backplane.claim(registered, '1', MOST);
    await expect(two.backplane.claim(MALLORY, '2', MOST)).rejects.toMatchObject({ code: 'NAME_IN_USE' });
  });

  test('lets one of two win a name they both want, a hundred times', async () => {
    const [one, two] = await startTwo(create);
    for (let i = 0; i < 100; i += 1) {
      const [a, b] = [holder(`Racer${i}`, 'A'), holder(`racer${i}`, 'B')];
      const results = await Promise.allSettled([
        one.backplane.claim(a, `a${i}`, MOST),
        two.backplane.claim(b, `b${i}`, MOST),
      ]);
      const won = results.map(({ status }) => status === 'fulfilled');
      expect(won.filter(Boolean)).toHaveLength(1);
      expect((await one.backplane.find(a.key))?.subject).toBe((won[0] ? a : b).subject);
    }
  });
}

function members(create: CreateNetwork): void {
  test('says who is in a room by way of others to who opens it', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.enter(ROOM);
    await one.backplane.setMember(ROOM, ALICE, true, null);
    const bob = holder('Bob', 'B');
    await one.backplane.setMember(ROOM, bob, true, null);
    await one.backplane.setMember(ROOM, bob, false, null);
    const others = await two.backplane.enter(ROOM);
    expect(others.map((member) => member.holder)).toEqual([ALICE]);
    expect(await two.backplane.enter(OTHER)).toEqual([]);
  });

  test('tells of who comes, changes and goes, in that order, and not the node itself', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.enter(ROOM);
    await two.backplane.enter(ROOM);
    const bytes = Uint8Array.of(0, 1, 32, 10, 255);
    await one.backplane.setMember(ROOM, ALICE, true, bytes);
    await one.backplane.setMember(ROOM, { ...ALICE, away: 'tea' }, true, null);
    await one.backplane.setMember(ROOM, ALICE, false, bytes);
    await two.heard((told) => told.news.length >= 3);
    expect(two.told.news.map((each) => each.news)).toEqual([
      { type: 'member', holder: ALICE, isHere: true, bytes },
      { type: 'member', holder: { ...ALICE, away: 'tea' }, isHere: true, bytes: null },
      { type: 'member', holder: ALICE, isHere: false, bytes },
    ]);
    expect(one.told.news).toEqual([]);
  });

  test('calls a node the same in what it says and in who is there', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.enter(ROOM);
    await one.backplane.setMember(ROOM, ALICE, true, null);
    const [member] = await two.backplane.enter(ROOM);
    await one.backplane.setMember(ROOM, ALICE, false, null);
    await two.heard((told) => told.news.length >= 1);
    expect(two.told.news[0]?.node).toBe(member?.node);
  });

  test('tells nothing of rooms that a node has not open', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.enter(ROOM);
    await two.backplane.enter(ROOM);
    await two.backplane.enter(OTHER);
    await two.backplane.leave(ROOM);
    await one.backplane.setMember(ROOM, ALICE, true, null);
    await one.backplane.enter(OTHER);
    await one.backplane.setMember(OTHER, ALICE, true, null);
    await two.heard((told) => told.news.length >= 1);
    expect(two.told.news.map(({ room }) => room)).toEqual([OTHER]);
  });

  test('knows a thousand members', async () => {
    const [one, two] = await startTwo(create);
    await one.backplane.enter(ROOM);
    const all = Array.from({ length: 1_000 }, (_, i) => holder(`guest-${i}`));
    await Promise.all(all.map((each) => one.backplane.setMember(ROOM, each, true, null)));
    const found = await two.backplane.enter(ROOM);
    expect(found).toHaveLength(1_000);
    expect(new Set(found.map((member) => member.holder.key)).size).toBe(1_000);
  });
}

function messages(create: CreateNetwork): void {
  test('tells what another node has stored, in order, of that incarnation, and not the node itself', async () => {
    const [one, two] = await startTwo(create);
    for (const each of [one, two]) await each.backplane.enter(ROOM);
    const { incarnation } = await one.store.open(ROOM);
    await two.store.open(ROOM);
    for (let i = 0; i < 20; i += 1) await one.store.append([draft(`${i} a`), draft(`${i} 日本 b`)]);
    await two.heard((told) => told.messages.length >= 40);
    const stored = await one.store.read(ROOM, { limit: 100 });
    expect(two.told.messages).toEqual(stored);
    expect(new Set(two.told.incarnations)).toEqual(new Set([incarnation]));
    expect(one.told.messages).toEqual([]);
  });

  test('keeps a room that another node has open, and forgets one that nobody else has', async () => {
    const [one, two] = await startTwo(create);
    for (const each of [one, two]) {
      await each.backplane.enter(ROOM);
      await each.store.open(ROOM);
    }
    await one.store.append([draft('kept')]);
    await one.store.forget(ROOM);
    await one.backplane.leave(ROOM);
    expect(await two.store.read(ROOM, { limit: 9 })).toHaveLength(1);
    await two.store.forget(ROOM);
    expect(await two.store.bounds(ROOM)).toBeNull();
  });
}

const EVERY_ROOM_NEWS: readonly RoomNews[] = [
  { type: 'member', holder: ALICE, isHere: true, bytes: null },
  { type: 'event', bytes: Uint8Array.of(10, 0, 32), isForWatchers: true },
  { type: 'reached', seq: 7 },
  { type: 'changed' },
  { type: 'forgotten' },
  { type: 'removed', key: ALICE.key, removal: 'kick', by: ALICE.name, reason: null, untilMs: null },
  { type: 'removed', key: ALICE.key, removal: 'ban', by: ALICE.name, reason: 'noise ☠', untilMs: 8.64e15 },
  { type: 'mark', subject: ALICE.subject, name: ALICE.name, delivered: 9_007_199_254_740_991, read: 0 },
];

const EVERY_NEWS: readonly NetworkNews[] = [
  { type: 'tell', key: ALICE.key, id: null, bytes: Uint8Array.of(1) },
  { type: 'tell', key: ALICE.key, id: `${fingerprint('A')}${'0'.repeat(32)}`, bytes: new Uint8Array(70_000) },
  { type: 'published', subject: `@${ALICE.key}`, id: 'x', bytes: new Uint8Array() },
  { type: 'network' },
  { type: 'expelled', key: ALICE.key, text: 'out' },
  { type: 'account', key: ALICE.key },
  { type: 'described', holder: ALICE },
  { type: 'renamed', key: ALICE.key, subject: ALICE.subject, name: requireUserName('Ärger') },
];

function news(create: CreateNetwork): void {
  test('carries all that nodes tell each other of a room', async () => {
    const [one, two] = await startTwo(create);
    for (const each of [one, two]) await each.backplane.enter(OTHER);
    for (const each of EVERY_ROOM_NEWS) one.backplane.tellRoom(OTHER, each);
    await two.heard((told) => told.news.length >= EVERY_ROOM_NEWS.length);
    expect(two.told.news.map((each) => each.news)).toEqual(EVERY_ROOM_NEWS);
  });

  test('carries all that nodes tell everybody', async () => {
    const [one, two] = await startTwo(create);
    for (const each of EVERY_NEWS) one.backplane.tellAll(each);
    await two.heard((told) => told.all.length >= EVERY_NEWS.length);
    expect(two.told.all).toEqual(EVERY_NEWS);
    expect(one.told.all).toEqual([]);
  });
}

function lists(create: CreateNetwork): void {
  test('gathers the rooms of all other nodes', async () => {
    const network = await create();
    const [one, two, three] = await Promise.all([start(network), start(network), start(network)]);
    await Promise.all([one, two, three].map((each) => each.seesAll(3)));
    two.roomRows = Array.from({ length: 1_200 }, (_, i) => row(`den-${i}`, i));
    three.roomRows = [row('straße', 3)];
    const rows = await one.backplane.rooms();
    expect(rows).toHaveLength(1_201);
    expect(rows).toContainEqual(row('straße', 3));
  });

  test('answers with no rooms where there is no other node', async () => {
    const one = await start(await create());
    expect(await one.backplane.rooms()).toEqual([]);
  });
}

function endings(create: CreateNetwork): void {
  test('says that a node is gone, in order or not, and leaves nobody of it in a room', async () => {
    const network = await create();
    const [one, two, three] = await Promise.all([start(network), start(network), start(network)]);
    await Promise.all([one, two, three].map((each) => each.seesAll(3)));
    for (const each of [one, two, three]) await each.backplane.enter(ROOM);
    await two.backplane.setMember(ROOM, ALICE, true, null);
    await three.backplane.setMember(ROOM, holder('Bob', 'B'), true, null);
    await three.backplane.claim(holder('Bob', 'B'), '1', MOST);
    await one.heard((told) => told.news.length >= 2);
    const [ofTwo, ofThree] = one.told.news.map(({ node }) => node);
    await two.backplane.stop();
    await one.heard((told) => told.gone.length >= 1);
    expect(one.told.gone).toEqual([ofTwo]);
    three.die();
    await one.heard((told) => told.gone.length >= 2);
    expect(one.told.gone).toEqual([ofTwo, ofThree]);
    expect(await (await start(network)).backplane.enter(ROOM)).toEqual([]);
    await vi.waitFor(() => one.backplane.claim(holder('bob', 'M'), '1', MOST), WAIT);
  });
}

function cuts(create: CreateNetwork): void {
  test('refuses what needs the others, and says again what it holds when it is back', async () => {
    const [one, two] = await startTwo(create);
    for (const each of [one, two]) await each.backplane.enter(ROOM);
    await one.backplane.claim(ALICE, '1', MOST);
    await one.backplane.setMember(ROOM, ALICE, true, null);
    one.cut?.();
    await expect(one.backplane.claim(ALICE, '2', MOST)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await expect(one.backplane.find(ALICE.key)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    await one.backplane.release(ALICE.key, '9');
    await one.backplane.setMember(ROOM, ALICE, false, null);
    await one.backplane.setMember(ROOM, holder('Bob', 'B'), true, null);
    await two.backplane.setMember(ROOM, holder('Carol', 'C'), true, null);
    one.restore?.();
    await one.heard((told) => told.returned >= 1);
    expect(one.told.members.at(-1)?.map((member) => member.holder.name)).toEqual(['Carol']);
    await two.heard((told) => told.members.at(-1)?.some((member) => member.holder.name === 'Bob') === true);
    expect(two.told.members.at(-1)?.map((member) => member.holder.name)).toEqual(['Bob']);
    expect(await two.backplane.find(ALICE.key)).toMatchObject({ sessions: 1, name: 'Alice' });
  });

  test('takes a node that is cut off for too long for gone, and its names from it when others want them', async () => {
    const [one, two] = await startTwo(create);
    for (const each of [one, two]) await each.backplane.enter(ROOM);
    await one.backplane.claim(ALICE, '1', MOST);
    await one.backplane.claim(holder('Bob', 'B'), '2', MOST);
    await one.backplane.setMember(ROOM, ALICE, true, null);
    one.cut?.();
    await one.lapse();
    await two.heard((told) => told.gone.length === 1);
    await vi.waitFor(() => two.backplane.claim(MALLORY, '1', MOST), WAIT);
    one.restore?.();
    await one.heard((told) => told.lost.length >= 1 && told.returned >= 1);
    expect(one.told.lost).toEqual([ALICE.key]);
    expect(await two.backplane.find('bob' as NameKey)).toMatchObject({ subject: fingerprint('B'), sessions: 1 });
    await two.heard((told) => told.members.length > 0);
    expect(two.told.members.at(-1)?.map((member) => member.holder.name)).toEqual(['Alice']);
  });
}

/** Longer than anything here takes; a verdict does not depend on it. */
const WAIT = { timeout: 15_000, interval: 20 };

/** What a node's hub was told. */
interface Told {
  readonly messages: StoredMessage[];
  readonly incarnations: string[];
  readonly news: { readonly room: NameKey; readonly node: string; readonly news: RoomNews }[];
  readonly members: (readonly RemoteMember[])[];
  readonly all: NetworkNews[];
  readonly gone: string[];
  readonly lost: NameKey[];
  returned: number;
}

interface StartedNode extends NodeUnderTest {
  readonly told: Told;
  roomRows: readonly RoomRow[];
  heard(qualifies: (told: Told) => boolean): Promise<void>;
  /** Resolves when it has heard of so many nodes, itself among them. */
  seesAll(nodes: number): Promise<void>;
}

async function startTwo(create: CreateNetwork): Promise<[StartedNode, StartedNode]> {
  const network = await create();
  return [await start(network), await start(network)];
}

async function start(network: NetworkUnderTest): Promise<StartedNode> {
  const node = await network.node();
  const told: Told = {
    messages: [],
    incarnations: [],
    news: [],
    members: [],
    all: [],
    gone: [],
    lost: [],
    returned: 0,
  };
  const heard = (qualifies: (told: Told) => boolean) =>
    vi.waitFor(() => {
      if (!qualifies(told)) throw new Error(`was told only ${JSON.stringify(told)}`);
    }, WAIT);
  const seesAll = (nodes: number) =>
    vi.waitFor(async () => {
      const rows = await node.backplane.rooms();
      if (rows.length < nodes - 1) throw new Error(`sees ${rows.length + 1} nodes`);
    }, WAIT);
  const started: StartedNode = { ...node, told, roomRows: [row('lobby', 1)], heard, seesAll };
  const handler: BackplaneHandler = {
    onMessages(_room, incarnation, messages) {
      told.messages.push(...messages);
      told.incarnations.push(incarnation);
    },
    onRoomNews: (room, from, each) => void told.news.push({ room, node: from, news: each }),
    onMembers: (_room, all) => void told.members.push(all),
    onNews: (each) => void told.all.push(each),
    onNodeGone: (gone) => void told.gone.push(gone),
    onNameLost: (key) => void told.lost.push(key),
    onReturned: () => {
      told.returned += 1;
    },
    rooms: () => started.roomRows,
  };
  await node.backplane.start(handler);
  return started;
}

function holder(name: string, letter = 'A'): Holder {
  const valid = requireUserName(name);
  return {
    key: nameKey(valid),
    name: valid,
    subject: fingerprint(letter),
    fps: [fingerprint(letter), fingerprint('Z')],
    isAdmin: false,
    isRegistered: false,
    away: null,
    sinceMs: 1_700_000_000_000,
  };
}

function fingerprint(letter: string): string {
  return `SHA256:${letter.repeat(42)}A`;
}

function row(name: string, members: number): RoomRow {
  return { room: requireRoomName(name), members, access: 'open', topic: null };
}

let drafts = 0;

function draft(body: string): Draft {
  drafts += 1;
  const id = drafts.toString(16).padStart(32, '0');
  const { name: from } = ALICE;
  return { room: ROOM, id, isAgain: false, from, fp: fingerprint('A'), kind: 'text', body, ts: 1_700_000_000_000 };
}
