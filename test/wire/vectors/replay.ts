import { RECORDS_PER_KEY } from '../../../lib/limits.ts';
import { type Identity, importIdentity } from '../../../lib/wire/crypto/identity.ts';
import type { CryptoProvider } from '../../../lib/wire/crypto/port.ts';
import { CipherState } from '../../../lib/wire/noise/cipher-state.ts';
import { encodePrologue } from '../../../lib/wire/opening.ts';
import { RecordOpener, RecordSealer } from '../../../lib/wire/record.ts';
import { type Suite, suiteOf } from '../../../lib/wire/suites.ts';
import { fixedCrypto, hex, initiator, type Party, responder, toHex, utf8 } from '../fixtures.ts';
import type { HandshakeVector, KemVector, PartyVector, RecordVector } from './vectors.ts';

/** The secrets of a handshake vector; everything else follows from them. */
export interface Secrets {
  readonly suite: number;
  readonly initiator: Pick<PartyVector, 'signingSeed' | 'staticSecret' | 'ephemeralSecret'>;
  readonly responder: Pick<PartyVector, 'signingSeed' | 'staticSecret' | 'ephemeralSecret'>;
  readonly kem: KemVector | null;
}

const PLAINTEXTS: readonly Pick<RecordVector, 'from' | 'counter' | 'plaintext'>[] = [
  { from: 'initiator', counter: 0, plaintext: `00000005${toHex(utf8('hello'))}` },
  { from: 'initiator', counter: 1, plaintext: '' },
  { from: 'responder', counter: 0, plaintext: `00000007${toHex(utf8('welcome'))}` },
  { from: 'initiator', counter: RECORDS_PER_KEY - 1, plaintext: `00000009${toHex(utf8('first key'))}` },
  { from: 'initiator', counter: RECORDS_PER_KEY, plaintext: `0000000a${toHex(utf8('second key'))}` },
  { from: 'initiator', counter: 2 * RECORDS_PER_KEY - 1, plaintext: `0000000a${toHex(utf8('second key'))}` },
  { from: 'initiator', counter: 2 * RECORDS_PER_KEY, plaintext: `00000009${toHex(utf8('third key'))}` },
];

/** A party with a vector's secrets and without chance. `keys` gets every symmetric key that it derives. */
export function fixedParty(
  role: 'initiator' | 'responder',
  secrets: Secrets,
  provider: CryptoProvider,
  keys: string[] = [],
): Party {
  const identity = identityOf(role, secrets, provider);
  const crypto = noting(keys, cryptoOf(role, secrets, provider));
  const { suite } = secrets;
  return role === 'initiator' ? initiator({ suite, identity, crypto }) : responder({ identity, crypto });
}

export function identityOf(role: 'initiator' | 'responder', secrets: Secrets, provider: CryptoProvider): Identity {
  const { signingSeed, staticSecret } = secrets[role];
  return importIdentity(provider, { signingSeed: hex(signingSeed), staticSecret: hex(staticSecret) });
}

export function cryptoOf(role: 'initiator' | 'responder', secrets: Secrets, provider: CryptoProvider): CryptoProvider {
  const { kem } = secrets;
  const ephemeralSecret = hex(secrets[role].ephemeralSecret);
  if (kem === null) return fixedCrypto(provider, { ephemeralSecret });
  const encapsulation = { ciphertext: hex(kem.ciphertext), sharedSecret: hex(kem.sharedSecret) };
  return fixedCrypto(provider, { ephemeralSecret, kemSeed: hex(kem.initiatorSeed), encapsulation });
}

/** A vector computed anew from its secrets, its two sides by two providers. */
export function replay(secrets: Secrets, atInitiator: CryptoProvider, atResponder: CryptoProvider): HandshakeVector {
  const suite = suiteOf(secrets.suite);
  if (suite === undefined) throw new Error('vectors are of known suites');
  const keys: string[] = [];
  const client = fixedParty('initiator', secrets, atInitiator, keys);
  const server = fixedParty('responder', secrets, atResponder);
  client.channel.start();
  const openingFrame = client.take();
  server.channel.receive(new Uint8Array(openingFrame));
  const replyFrame = server.take();
  client.channel.receive(new Uint8Array(replyFrame));
  const finishFrame = client.take();
  server.channel.receive(new Uint8Array(finishFrame));
  if (client.info === undefined || server.info === undefined) throw new Error('the handshake opens');
  if (toHex(client.info.handshakeHash) !== toHex(server.info.handshakeHash)) throw new Error('the hashes are the same');
  const [initiatorKey = '', responderKey = ''] = keys.slice(-2);
  return {
    suite: suite.id,
    protocolName: suite.protocolName,
    prologue: toHex(encodePrologue(suite.id)),
    initiator: partyOf('initiator', secrets, atInitiator),
    responder: partyOf('responder', secrets, atResponder),
    kem: secrets.kem,
    openingFrame: toHex(openingFrame),
    replyFrame: toHex(replyFrame),
    finishFrame: toHex(finishFrame),
    handshakeHash: toHex(client.info.handshakeHash),
    initiatorKey,
    responderKey,
    records: sealAll(suite, { initiator: initiatorKey, responder: responderKey }, atInitiator),
  };
}

/** The plaintexts of a vector's records as `provider` opens them. */
export function openAll(vector: HandshakeVector, provider: CryptoProvider): string[] {
  const suite = suiteOf(vector.suite) as Suite;
  const ciphers = {
    initiator: new CipherState(provider[suite.recordCipher](hex(vector.initiatorKey))),
    responder: new CipherState(provider[suite.recordCipher](hex(vector.responderKey))),
  };
  const openers = { initiator: new RecordOpener(ciphers.initiator), responder: new RecordOpener(ciphers.responder) };
  return vector.records.map(({ from, counter, frame }) => {
    ciphers[from].setNonce(counter);
    return toHex(openers[from].open(hex(frame).slice(4)));
  });
}

/** Seals the plaintexts; counters in between are passed over, but no change of key is. */
function sealAll(
  suite: Suite,
  keys: Record<'initiator' | 'responder', string>,
  provider: CryptoProvider,
): RecordVector[] {
  const ciphers = {
    initiator: new CipherState(provider[suite.recordCipher](hex(keys.initiator))),
    responder: new CipherState(provider[suite.recordCipher](hex(keys.responder))),
  };
  const sealers = { initiator: new RecordSealer(ciphers.initiator), responder: new RecordSealer(ciphers.responder) };
  return PLAINTEXTS.map(({ from, counter, plaintext }) => {
    ciphers[from].setNonce(counter);
    let sealed = '';
    sealers[from].seal([hex(plaintext)], (frame) => {
      sealed = toHex(frame);
      return true;
    });
    return { from, counter, plaintext, frame: sealed };
  });
}

function partyOf(role: 'initiator' | 'responder', secrets: Secrets, provider: CryptoProvider): PartyVector {
  const { signingSeed, staticSecret, ephemeralSecret } = secrets[role];
  const identity = identityOf(role, secrets, provider);
  return {
    signingSeed,
    staticSecret,
    ephemeralSecret,
    signingPublic: toHex(identity.signing.publicKey),
    staticPublic: toHex(identity.noiseStatic.publicKey),
    ephemeralPublic: toHex(provider.importDh(hex(ephemeralSecret)).publicKey),
    binding: toHex(identity.binding),
    fingerprint: identity.fingerprint,
  };
}

function noting(keys: string[], crypto: CryptoProvider): CryptoProvider {
  return {
    ...crypto,
    aesGcm(key) {
      keys.push(toHex(key));
      return crypto.aesGcm(key);
    },
    secretbox(key) {
      keys.push(toHex(key));
      return crypto.secretbox(key);
    },
  };
}
