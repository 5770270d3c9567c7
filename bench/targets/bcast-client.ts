import { encodeRequest } from '../../lib/protocol/codec.ts';
import type { Suite } from '../../lib/wire/suites.ts';
import { BODY_BYTES, createBody } from '../load/body.ts';
import { makeBurst, type PublishTemplate } from '../load/burst.ts';
import { createReader } from './bcast-reader.ts';
import { enterRoom, roomName, type SessionHandlers } from './bcast-session.ts';
import type { Endpoint, LoadClient } from './target.ts';

/** Speaks to the nodes of one bcast network. */
export function createBcastClient(
  endpoints: readonly Endpoint[],
  suite: Suite,
  onLost: (error: Error) => void,
): LoadClient {
  let users = 0;
  let unstored = 0;
  const onUnstored = () => void unstored++;
  const enter = (room: string, node: number, handlers: Omit<SessionHandlers, 'onLost' | 'onUnstored'>) => {
    const user = `user-${users++}`;
    return enterRoom(endpoints[node] as Endpoint, suite, { user, room }, { ...handlers, onUnstored, onLost });
  };
  const refuse = () => onLost(new Error('a message was delivered to who should hear none'));
  return {
    connectMember: async (room, onBody, node = 0) => (await enter(room, node, { onBody })).link,
    async connectPublisher(room) {
      const { link, answered } = await enter(room, 0, { onBody: refuse });
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
    connectReader: (room) => createReader(room, (onPart) => enter(room, 0, { onBody: refuse, onPart })),
    unstored: () => unstored,
    describeWire: () => suite.name,
  };
}

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
