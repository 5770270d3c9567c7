import { BcastError } from '../../../lib/errors.ts';
import type { Identity } from '../../../lib/wire/crypto/identity.ts';
import { encodeFrame } from '../../../lib/wire/frame.ts';
import { encodeAdmissionRefusal, encodeRefusal } from '../../../lib/wire/opening.ts';
import { concat, flipped, hex, initiator, native, type Party, responder, toHex, utf8 } from '../fixtures.ts';
import { cryptoOf, fixedParty, identityOf, type Secrets } from './replay.ts';
import type { HandshakeVector, MustFailVector } from './vectors.ts';

type Role = 'initiator' | 'responder';

const LOW_ORDER = new Uint8Array(32);
/** The other points of small order on Curve25519, and p and p + 1, which are zero and one again. */
const OTHER_LOW_ORDERS: readonly (readonly [name: string, point: string])[] = [
  ['1', `01${'00'.repeat(31)}`],
  ['order 8', 'e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800'],
  ['order 8, its twin', '5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157'],
  ['p - 1', `ec${'ff'.repeat(30)}7f`],
  ['p', `ed${'ff'.repeat(30)}7f`],
  ['p + 1', `ee${'ff'.repeat(30)}7f`],
];
const PROLOGUE_BYTES = 7;

/** Makes the must-fail vectors of a suite from its handshake vector. */
export function makeFaults(good: HandshakeVector): MustFailVector[] {
  return [...openingFaults(good), ...replyFaults(good), ...finishFaults(good), ...recordFaults(good)].map(
    ({ name, role, receives }) => outcomeOf(good, name, role, receives),
  );
}

interface Fault {
  readonly name: string;
  readonly role: Role;
  readonly receives: readonly Uint8Array[];
}

/** Feeds a fault to the one it is for and writes down what comes of it. */
export function outcomeOf(secrets: Secrets, name: string, role: Role, receives: readonly Uint8Array[]): MustFailVector {
  const party = fixedParty(role, secrets, native);
  if (role === 'initiator') party.channel.start();
  for (const frame of receives.slice(0, -1)) party.channel.receive(new Uint8Array(frame));
  party.take();
  try {
    party.channel.receive(new Uint8Array(receives.at(-1) ?? hex('')));
  } catch (error) {
    if (!(error instanceof BcastError)) throw error;
    return {
      name,
      suite: secrets.suite,
      role,
      receives: receives.map(toHex),
      answer: toHex(party.take()),
      error: error.code,
    };
  }
  throw new Error(`${name} was accepted`);
}

function openingFaults(good: HandshakeVector): Fault[] {
  const opening = hex(good.openingFrame).subarray(4);
  const with1 = (at: number, byte: number): Uint8Array => {
    const changed = new Uint8Array(opening);
    changed[at] = byte;
    return encodeFrame(changed);
  };
  const withKey = (key: Uint8Array): Uint8Array => {
    const changed = new Uint8Array(opening);
    changed.set(key, PROLOGUE_BYTES);
    return encodeFrame(changed);
  };
  const faults: (readonly [string, Uint8Array])[] = [
    ['an HTTP request', utf8('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')],
    ['a frame over the limit before the handshake', hex('00001001')],
    ['an empty frame', hex('00000000')],
    ['a first frame without the magic', with1(0, 0x62)],
    ['another version', with1(5, 2)],
    ['a suite there is none of', with1(6, 9)],
    ['an opening that is a byte short', encodeFrame(opening.subarray(0, -1))],
    ['an opening that is a byte long', encodeFrame(concat(opening, hex('00')))],
    ['an ephemeral key of low order', withKey(LOW_ORDER)],
    ...OTHER_LOW_ORDERS.map(
      ([name, point]) => [`an ephemeral key of low order: ${name}`, withKey(hex(point))] as const,
    ),
  ];
  if (good.kem !== null) {
    const invalid = new Uint8Array(opening);
    invalid.fill(0xff, PROLOGUE_BYTES + 32);
    faults.push(['an encapsulation key that is not reduced modulo q', encodeFrame(invalid)]);
  }
  return faults.map(([name, frame]) => ({ name, role: 'responder', receives: [frame] }));
}

function replyFaults(good: HandshakeVector): Fault[] {
  const reply = hex(good.replyFrame);
  const lowOrder = new Uint8Array(reply);
  lowOrder.set(LOW_ORDER, 4);
  const forged = (identity: Partial<Identity>): Uint8Array => {
    const server = impostor('responder', good, identity);
    server.channel.receive(hex(good.openingFrame));
    return server.take();
  };
  const faults: (readonly [string, Uint8Array])[] = [
    ['a refusal of the version', encodeFrame(encodeRefusal('version', [1, 2, 3, 4]))],
    ['a refusal of the suite', encodeFrame(encodeRefusal('suite', [1]))],
    ...admissionRefusals(),
    ['a server that speaks HTTP', utf8('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['a changed reply', flipped(reply, reply.length - 1)],
    ['a reply that is a byte short', encodeFrame(reply.subarray(4, -1))],
    ['a reply with an ephemeral key of low order', lowOrder],
    ['a server whose binding is of another identity', forged({ binding: strangersBinding(good) })],
    ['a server whose binding is signed without the context', forged({ binding: bareBinding('responder', good) })],
    ['a server whose static key is of low order', forged({ noiseStatic: lowOrderStatic('responder', good) })],
  ];
  return faults.map(([name, frame]) => ({ name, role: 'initiator', receives: [frame] }));
}

/** Refusals of reason 3, and what looks like one and is none. */
function admissionRefusals(): (readonly [string, Uint8Array])[] {
  const refusal = encodeAdmissionRefusal(new BcastError('SERVER_FULL', { retryAfterMs: 10_000 }));
  const number = (error: number): Uint8Array =>
    concat(refusal.subarray(0, 7), Uint8Array.of(error >> 8, error), hex('00000000'));
  return [
    ['a refusal because the server is full, for ten seconds', encodeFrame(refusal)],
    ['a refusal because of too many connections', encodeFrame(number(2002))],
    ['a refusal because of too many attempts', encodeFrame(number(2003))],
    ['a refusal because of a ban', encodeFrame(number(2004))],
    ['a refusal with an error number that is none there', encodeFrame(number(4004))],
    ['a refusal that is a byte short', encodeFrame(refusal.subarray(0, -1))],
    ['a refusal that is a byte long', encodeFrame(concat(refusal, hex('00')))],
    ['a refusal for a reason there is none of', encodeFrame(hex('424341535400040101'))],
  ];
}

function finishFaults(good: HandshakeVector): Fault[] {
  const opening = hex(good.openingFrame);
  const finish = hex(good.finishFrame);
  const forged = (identity: Partial<Identity>): Uint8Array => {
    const client = impostor('initiator', good, identity);
    client.channel.start();
    client.take();
    client.channel.receive(hex(good.replyFrame));
    return client.take();
  };
  const faults: [string, Uint8Array][] = [
    ['a changed last handshake message', flipped(finish, 4)],
    ['a last handshake message that is a byte long', encodeFrame(concat(finish.subarray(4), hex('00')))],
    ['a frame over the limit before the handshake is done', hex('00001001')],
    ['a client whose binding is of another identity', forged({ binding: strangersBinding(good) })],
    ['a client whose binding is signed without the context', forged({ binding: bareBinding('initiator', good) })],
    ['a client whose static key is of low order', forged({ noiseStatic: lowOrderStatic('initiator', good) })],
  ];
  return faults.map(([name, frame]) => ({ name, role: 'responder', receives: [opening, frame] }));
}

function recordFaults(good: HandshakeVector): Fault[] {
  const [first, second] = good.records.filter(({ from }) => from === 'initiator').map(({ frame }) => hex(frame));
  const mirrored = good.records.find(({ from }) => from === 'responder')?.frame;
  if (first === undefined || second === undefined || mirrored === undefined) throw new Error('there are records');
  const sealed = (stream: string): Uint8Array => {
    const client = fixedParty('initiator', good, native);
    client.channel.start();
    client.channel.receive(hex(good.replyFrame));
    client.take();
    client.channel.sealMessages([hex(stream)]);
    return client.take();
  };
  const faults: [string, Uint8Array[]][] = [
    ['a record with a changed last bit', [flipped(first, first.length - 1)]],
    ['a record twice', [first, first]],
    ['a record out of order', [second]],
    ['a record of the other direction', [hex(mirrored)]],
    ['a frame shorter than a tag', [hex(`0000000f${'00'.repeat(15)}`)]],
    ['a frame over the limit', [hex('00010000')]],
    ['an empty message', [sealed('00000000')]],
    ['a message over the limit', [sealed('00040001')]],
  ];
  const handshake = [hex(good.openingFrame), hex(good.finishFrame)];
  return faults.map(([name, frames]) => ({ name, role: 'responder', receives: [...handshake, ...frames] }));
}

/** A party with a vector's secrets whose identity is partly somebody else's. */
function impostor(role: Role, good: HandshakeVector, forged: Partial<Identity>): Party {
  const identity = { ...identityOf(role, good, native), ...forged };
  const crypto = cryptoOf(role, good, native);
  return role === 'initiator' ? initiator({ suite: good.suite, identity, crypto }) : responder({ identity, crypto });
}

function strangersBinding(good: HandshakeVector): Uint8Array {
  const stranger = { ...good.initiator, staticSecret: 'ee'.repeat(32) };
  return identityOf('initiator', { ...good, initiator: stranger }, native).binding;
}

function bareBinding(role: Role, good: HandshakeVector): Uint8Array {
  const { signing, noiseStatic } = identityOf(role, good, native);
  return concat(signing.publicKey, native.sign(signing, noiseStatic.publicKey));
}

/** A pair that shows the point zero; what its owner computes with the secret half does not matter. */
function lowOrderStatic(role: Role, good: HandshakeVector): Identity['noiseStatic'] {
  const pair = native.importDh(hex(good[role].staticSecret));
  return Object.defineProperty(pair, 'publicKey', { value: LOW_ORDER });
}
