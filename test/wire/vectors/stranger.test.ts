import {
  createCipheriv,
  createHash,
  createHmac,
  createPrivateKey,
  createPublicKey,
  decapsulate,
  diffieHellman,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto';
import nacl from 'tweetnacl';
import { describe, expect, test } from 'vitest';
import { type HandshakeVector, type PartyVector, readVectors } from './vectors.ts';

/**
 * The handshake and the records once more, straight down the page of docs/PROTOCOL.md with node:crypto and tweetnacl and
 * nothing of lib: what a stranger would write. If this and the vectors agree, neither page nor code says something else.
 */

const { handshakes } = readVectors();

const NOTHING = Buffer.alloc(0);
const hex = (digits: string): Buffer => Buffer.from(digits, 'hex');

// 4.2

function aead(key: Buffer, counter: bigint, ad: Buffer, plaintext: Buffer): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.writeBigUInt64BE(counter, 4);
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(ad);
  return Buffer.concat([cipher.update(plaintext), cipher.final(), cipher.getAuthTag()]);
}

function secretbox(key: Buffer, counter: bigint, plaintext: Buffer): Buffer {
  const nonce = Buffer.alloc(24);
  nonce.writeBigUInt64BE(counter, 16);
  return Buffer.from(nacl.secretbox(plaintext, nonce, key));
}

function hkdf(ck: Buffer, ikm: Buffer): [Buffer, Buffer] {
  const hmac = (key: Buffer, ...data: Buffer[]): Buffer =>
    createHmac('sha256', key).update(Buffer.concat(data)).digest();
  const t = hmac(ck, ikm);
  const o1 = hmac(t, hex('01'));
  return [o1, hmac(t, o1, hex('02'))];
}

function hash(...data: Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(data)).digest();
}

class Handshake {
  h: Buffer;
  ck: Buffer;
  k: Buffer | undefined;
  n = 0n;

  constructor(protocolName: string, prologue: Buffer) {
    const name = Buffer.from(protocolName);
    this.h = name.length <= 32 ? Buffer.concat([name, Buffer.alloc(32 - name.length)]) : hash(name);
    this.ck = this.h;
    this.mixHash(prologue);
  }

  mixHash(data: Buffer): Buffer {
    this.h = hash(this.h, data);
    return data;
  }

  mixKey(secret: Buffer): void {
    [this.ck, this.k] = hkdf(this.ck, secret);
    this.n = 0n;
  }

  encryptAndHash(plaintext: Buffer): Buffer {
    return this.mixHash(this.k === undefined ? plaintext : aead(this.k, this.n++, this.h, plaintext));
  }
}

const PKCS8 = {
  x25519: '302e020100300506032b656e04220420',
  ed25519: '302e020100300506032b657004220420',
  mlKem768: '3054020100300b060960864801650304040204428040',
};

function secretKey(kind: keyof typeof PKCS8, secret: string): KeyObject {
  return createPrivateKey({ key: hex(PKCS8[kind] + secret), format: 'der', type: 'pkcs8' });
}

function publicBytes(key: KeyObject): Buffer {
  const der = createPublicKey(key).export({ type: 'spki', format: 'der' });
  return der.length > 1_184 ? der.subarray(-1_184) : der.subarray(-32);
}

function dh(a: KeyObject, b: KeyObject): Buffer {
  return diffieHellman({ privateKey: a, publicKey: createPublicKey(b) });
}

// 4.4

function bindingOf(party: PartyVector): Buffer {
  const signing = secretKey('ed25519', party.signingSeed);
  const text = Buffer.concat([Buffer.from('bcast identity v1'), publicBytes(secretKey('x25519', party.staticSecret))]);
  expect(text).toHaveLength(49);
  return Buffer.concat([publicBytes(signing), sign(null, text, signing)]);
}

function frame(...payload: Buffer[]): string {
  const whole = Buffer.concat(payload);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(whole.length);
  return Buffer.concat([length, whole]).toString('hex');
}

interface Computed {
  readonly openingFrame: string;
  readonly replyFrame: string;
  readonly finishFrame: string;
  readonly handshakeHash: string;
  readonly keys: { readonly initiator: Buffer; readonly responder: Buffer };
}

/** 4.3, both sides in one: what either of them sends. */
function handshake({ suite, initiator, responder, kem }: HandshakeVector): Computed {
  const prologue = Buffer.concat([Buffer.from('BCAST'), Buffer.of(1, suite)]);
  const isHybrid = suite === 2 || suite === 4;
  const name = isHybrid ? 'Noise_XXhfs_25519+MLKEM768_AESGCM_SHA256' : 'Noise_XX_25519_AESGCM_SHA256';
  const noise = new Handshake(name, prologue);
  const [s, e] = [secretKey('x25519', initiator.staticSecret), secretKey('x25519', initiator.ephemeralSecret)];
  const [S, E] = [secretKey('x25519', responder.staticSecret), secretKey('x25519', responder.ephemeralSecret)];
  const e1 = kem && secretKey('mlKem768', kem.initiatorSeed);

  const opening = [prologue, noise.mixHash(publicBytes(e))];
  if (e1) opening.push(noise.encryptAndHash(publicBytes(e1)));
  opening.push(noise.encryptAndHash(NOTHING));

  const reply = [noise.mixHash(publicBytes(E))];
  noise.mixKey(dh(e, E));
  if (e1 && kem) {
    const ct = hex(kem.ciphertext);
    const ss = Buffer.from(decapsulate(e1, ct));
    expect(ss.toString('hex')).toBe(kem.sharedSecret);
    reply.push(noise.encryptAndHash(ct));
    noise.mixKey(ss);
  }
  reply.push(noise.encryptAndHash(publicBytes(S)));
  noise.mixKey(dh(e, S));
  reply.push(noise.encryptAndHash(bindingOf(responder)));

  const finish = [noise.encryptAndHash(publicBytes(s))];
  noise.mixKey(dh(s, E));
  finish.push(noise.encryptAndHash(bindingOf(initiator)));

  const [k1, k2] = hkdf(noise.ck, NOTHING);
  return {
    openingFrame: frame(...opening),
    replyFrame: frame(...reply),
    finishFrame: frame(...finish),
    handshakeHash: noise.h.toString('hex'),
    keys: { initiator: k1, responder: k2 },
  };
}

/** Section 5. */
function record(suite: number, firstKey: Buffer, counter: number, plaintext: Buffer): string {
  const isBox = suite === 3 || suite === 4;
  let key = firstKey;
  for (let i = 0; i < Math.floor(counter / 65_536); i++) {
    const last = 2n ** 64n - 1n;
    const zeros = Buffer.alloc(32);
    key = isBox ? secretbox(key, last, zeros).subarray(16) : aead(key, last, NOTHING, zeros).subarray(0, 32);
  }
  const n = BigInt(counter);
  return frame(isBox ? secretbox(key, n, plaintext) : aead(key, n, NOTHING, plaintext));
}

describe.each(handshakes.map((vector) => [vector.suite, vector] as const))(
  'suite %i as the page has it',
  (suite, vector) => {
    const computed = handshake(vector);

    test('sends these three frames', () => {
      expect(computed.openingFrame).toBe(vector.openingFrame);
      expect(computed.replyFrame).toBe(vector.replyFrame);
      expect(computed.finishFrame).toBe(vector.finishFrame);
    });

    test('arrives at this hash and these keys', () => {
      expect(computed.handshakeHash).toBe(vector.handshakeHash);
      expect(computed.keys.initiator.toString('hex')).toBe(vector.initiatorKey);
      expect(computed.keys.responder.toString('hex')).toBe(vector.responderKey);
    });

    test('seals these records, over two rekeys', () => {
      for (const { from, counter, plaintext, frame: sealed } of vector.records) {
        expect(record(suite, computed.keys[from], counter, hex(plaintext))).toBe(sealed);
      }
      expect(Math.max(...vector.records.map(({ counter }) => counter))).toBe(131_072);
    });

    test('knows people by these fingerprints', () => {
      for (const { signingPublic, staticPublic, binding, fingerprint } of [vector.initiator, vector.responder]) {
        expect(fingerprint).toBe(`SHA256:${hash(hex(signingPublic)).toString('base64').replace('=', '')}`);
        const key = createPublicKey({
          key: hex(`302a300506032b6570032100${signingPublic}`),
          format: 'der',
          type: 'spki',
        });
        const text = Buffer.concat([Buffer.from('bcast identity v1'), hex(staticPublic)]);
        expect(verify(null, text, key, hex(binding).subarray(32))).toBe(true);
      }
    });
  },
);
