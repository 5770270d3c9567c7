import { decodeEvent, encodeRequest } from '../../lib/protocol/codec.ts';
import { EVENTS, type Event, type Request } from '../../lib/protocol/messages.ts';
import { type RoomName, toRoomName, toUserName, type UserName } from '../../lib/protocol/names.ts';
import { LENGTH_PREFIX_BYTES } from '../../lib/wire/frame.ts';
import { DEFAULT_SUITE, SUITES, type Suite } from '../../lib/wire/suites.ts';
import { BODY_BYTES, createBody } from '../load/body.ts';
import { makeBurst, type PublishTemplate } from '../load/burst.ts';
import { type BcastLink, openBcast } from './bcast-link.ts';
import { prepareBcast, startBcast } from './bcast-server.ts';
import type { Endpoint, LoadClient, OnBody, Target } from './target.ts';

const MEMORY = ['--store', 'memory'];

/** bcast with the client's default suite, and without a disk, as its peers are. */
export const bcastTarget: Target = targetOf('bcast', DEFAULT_SUITE, MEMORY);

/** What durability costs: the default store, and the same with the disk waited for before each acknowledgement. */
export const bcastStoreTargets: readonly Target[] = [
  targetOf('bcast-sqlite', DEFAULT_SUITE, ['--store', 'sqlite']),
  targetOf('bcast-synced', DEFAULT_SUITE, ['--store', 'sqlite', '--store-sync', 'always']),
];

/** bcast with each suite, for choosing the default. */
export const bcastSuiteTargets: readonly Target[] = SUITES.map(({ id }) => targetOf(`bcast-${id}`, id, MEMORY));

function targetOf(name: string, suiteId: number, flags: readonly string[]): Target {
  const suite = SUITES.find(({ id }) => id === suiteId) as Suite;
  return {
    name,
    prepare: prepareBcast,
    start: (options) => startBcast(options, flags),
    createClient: (endpoint, onLost) => createBcastClient(endpoint, suite, onLost),
  };
}

function createBcastClient(endpoint: Endpoint, suite: Suite, onLost: (error: Error) => void): LoadClient {
  let users = 0;
  const enter = async (roomText: string, onBody: OnBody) => {
    const session = await openSession(endpoint, suite, onBody, onLost);
    await session.ask({ type: 'hello', req: 1, name: userName(`user-${users++}`), agent: 'bench', password: null });
    // Not watching: neither peer here tells members who comes and goes.
    await session.ask({ type: 'join', req: 2, room: roomName(roomText), watch: false, code: null, create: null });
    return session;
  };
  return {
    connectMember: async (room, onBody) => (await enter(room, onBody)).link,
    async connectPublisher(room) {
      const { link, answered } = await enter(room, () => onLost(new Error('the publisher was sent a message')));
      const template = publishTemplate(room);
      return {
        publish: (firstSeq, count) => link.sendEncoded(makeBurst(template, firstSeq, count)),
        publishAcknowledged(seq) {
          link.sendEncoded(makeBurst(template, seq, 1));
          return answered(FIRST_SAY_REQ + seq);
        },
        close: link.close,
      };
    },
    describeWire: () => suite.name,
  };
}

interface Session {
  readonly link: BcastLink;
  /** Resolves when the request with that id is answered by `ok`. */
  answered(req: number): Promise<void>;
  ask(request: Request): Promise<void>;
}

async function openSession(
  endpoint: Endpoint,
  suite: Suite,
  onBody: OnBody,
  onLost: (error: Error) => void,
): Promise<Session> {
  let awaited: { readonly req: number; readonly resolve: () => void } | undefined;
  const onMessage = (bytes: Buffer, at: number, length: number) => {
    const tag = messageTag(bytes, at);
    if (tag === EVENTS.message.tag) return onBody(bytes, at + length - BODY_BYTES);
    // A pipelining publisher is answered as often as it speaks, and awaits none of it.
    if (tag === EVENTS.ok.tag && awaited === undefined) return;
    const event = decodeEvent(bytes.subarray(at + LENGTH_PREFIX_BYTES, at + length));
    if (event.type === 'ok' && event.req === awaited?.req) {
      const { resolve } = awaited;
      awaited = undefined;
      resolve();
    } else if (!EXPECTED.has(event.type)) onLost(new Error(`bcast said: ${JSON.stringify(event)}`));
  };
  const link = await openBcast(endpoint, suite, onMessage, onLost);
  const answered = (req: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    awaited = { req, resolve };
    return promise;
  };
  const ask = (request: Request): Promise<void> => {
    link.send(request);
    return answered(request.req);
  };
  return { link, answered, ask };
}

/** Anything else, such as an error or `lagged`, ends the measuring. */
const EXPECTED: ReadonlySet<Event['type']> = new Set(['ok', 'welcome', 'joined']);

/** The message's number: the first element of the CBOR array, one byte or 0x18 and one more (RFC 8949 §3). */
function messageTag(bytes: Buffer, at: number): number {
  const head = bytes[at + LENGTH_PREFIX_BYTES + 1] as number;
  return head === 0x18 ? (bytes[at + LENGTH_PREFIX_BYTES + 2] as number) : head;
}

/** The bench's own names are valid by construction. */
const userName = (text: string): UserName => toUserName(text) as UserName;
const roomName = (text: string): RoomName => toRoomName(text) as RoomName;

/** From here on a request id takes five bytes in CBOR, whatever is added, so that stamping never moves anything. */
const FIRST_SAY_REQ = 0x1000_0000;

const MARKED_REQ = 0xa1a2a3a4;
const MARKED_ID = 'b7'.repeat(16);
const ID_BYTES = 16;

/** One `say`, with the places where request id and message id are stamped found by marks. */
function publishTemplate(room: string): PublishTemplate {
  const body = createBody();
  const say = {
    type: 'say',
    req: MARKED_REQ,
    id: MARKED_ID,
    again: false,
    room: roomName(room),
    kind: 'text',
  } as const;
  const unit = Buffer.from(encodeRequest({ ...say, body: body.toString('latin1') }));
  const reqMark = Buffer.alloc(4);
  reqMark.writeUInt32BE(MARKED_REQ);
  const reqAt = unit.indexOf(reqMark);
  const idAt = unit.indexOf(Buffer.from(MARKED_ID, 'hex'));
  if (reqAt === -1 || idAt === -1) throw new Error('the marks are not in the encoded request');
  const countersAt = [reqAt, idAt + ID_BYTES - 4];
  return { unit, bodyAt: unit.length - BODY_BYTES, xor: 0, countersAt, firstCounter: FIRST_SAY_REQ };
}
