import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import createNoise, { type Noise, type NoiseCipherState } from 'noise-c.wasm';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Identity } from '../../../lib/wire/crypto/identity.ts';
import { createNativeCrypto } from '../../../lib/wire/crypto/native.ts';
import type { CryptoProvider } from '../../../lib/wire/crypto/port.ts';
import { createPortableCrypto } from '../../../lib/wire/crypto/portable.ts';
import { encodeFrame } from '../../../lib/wire/frame.ts';
import { concat, hex, identityOf, initiator, payloadsOf, responder, toHex, utf8 } from '../fixtures.ts';

/** Suite 1 against an implementation of Noise that is not ours, at the level of the bytes on the wire. */

const PROLOGUE = concat(utf8('BCAST'), Uint8Array.of(1, 1));
const PROTOCOL = 'Noise_XX_25519_AESGCM_SHA256';
const STATIC_SECRET = new Uint8Array(32).fill(31);
const NO_AD = new Uint8Array(0);

let noise: Noise;

beforeAll(async () => {
  const wasmBinary = readFileSync(createRequire(import.meta.url).resolve('noise-c.wasm/src/noise-c.wasm'));
  noise = await new Promise((resolve) => createNoise({ wasmBinary }, resolve));
});

const providers: readonly (readonly [string, CryptoProvider])[] = [
  ['native', createNativeCrypto()],
  ['portable', createPortableCrypto()],
];

describe.each(providers)('%s', (_name, crypto) => {
  test('initiates to noise-c', () => {
    const us = initiator({ crypto, suite: 1 });
    const them = noise.HandshakeState(PROTOCOL, noise.constants.NOISE_ROLE_RESPONDER);
    them.Initialize(PROLOGUE, STATIC_SECRET);
    us.channel.start();
    const opening = onlyPayload(us.take());
    expect(opening.subarray(0, 7)).toEqual(PROLOGUE);
    expect(them.ReadMessage(opening.subarray(7), true)).toHaveLength(0);
    us.channel.receive(encodeFrame(them.WriteMessage(boundIdentity(crypto).binding)));
    expect(us.met?.fingerprint).toBe(boundIdentity(crypto).fingerprint);
    const ours = identityOf(crypto, 10);
    expect(toHex(them.ReadMessage(onlyPayload(us.take()), true))).toBe(toHex(ours.binding));
    expect(toHex(them.GetRemotePublicKey())).toBe(toHex(ours.noiseStatic.publicKey));
    expect(toHex(them.GetHandshakeHash())).toBe(toHex(us.info?.handshakeHash ?? NO_AD));
    exchangeRecords(us, them.Split());
  });

  test('responds to noise-c', () => {
    const us = responder({ crypto });
    const them = noise.HandshakeState(PROTOCOL, noise.constants.NOISE_ROLE_INITIATOR);
    them.Initialize(PROLOGUE, STATIC_SECRET);
    us.channel.receive(encodeFrame(concat(PROLOGUE, them.WriteMessage(null))));
    const ours = identityOf(crypto, 20);
    expect(toHex(them.ReadMessage(onlyPayload(us.take()), true))).toBe(toHex(ours.binding));
    us.channel.receive(encodeFrame(them.WriteMessage(boundIdentity(crypto).binding)));
    expect(us.info?.peer.fingerprint).toBe(boundIdentity(crypto).fingerprint);
    expect(toHex(them.GetHandshakeHash())).toBe(toHex(us.info?.handshakeHash ?? NO_AD));
    exchangeRecords(us, them.Split());
  });
});

/** Ten records each way; noise-c.wasm has no rekey. */
function exchangeRecords(
  us: ReturnType<typeof initiator>,
  [send, receive]: [NoiseCipherState, NoiseCipherState],
): void {
  for (let i = 0; i < 10; i++) {
    const words = utf8(`message ${i}`);
    us.channel.receive(encodeFrame(send.EncryptWithAd(NO_AD, encodeFrame(words))));
    expect(us.messages.pop()).toEqual(words);
    us.say(words);
    expect(toHex(receive.DecryptWithAd(NO_AD, onlyPayload(us.take())))).toBe(toHex(encodeFrame(words)));
  }
}

/** noise-c keeps its static key to itself, so the identity that binds it is made from the same secret. */
function boundIdentity(crypto: CryptoProvider): Identity {
  const noiseStatic = crypto.importDh(STATIC_SECRET);
  const identity = identityOf(crypto, 30);
  expect(toHex(identity.noiseStatic.publicKey)).toBe(toHex(noiseStatic.publicKey));
  return identity;
}

function onlyPayload(frames: Uint8Array): Uint8Array {
  const [payload, ...rest] = payloadsOf(frames);
  expect(rest).toHaveLength(0);
  return payload ?? hex('');
}
