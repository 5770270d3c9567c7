import { writeFileSync } from 'node:fs';
import { ml_kem768 } from '@noble/post-quantum/ml-kem.js';
import { ALL_SUITES, suiteOf } from '../../../lib/wire/suites.ts';
import { hex, native, toHex, utf8 } from '../fixtures.ts';
import { makeFaults } from './faults.ts';
import { replay, type Secrets } from './replay.ts';
import { type KemVector, VECTOR_FILE, type VectorFile } from './vectors.ts';

/**
 * Writes docs/vectors/handshakes.json. Run by hand (`node test/wire/vectors/make.ts`) when the protocol changes, which is
 * when other people's clients break: the tests compare what is in the file with what the code does.
 */
const handshakes = ALL_SUITES.map((suite) => replay(secretsOf(suite), native, native));
const file: VectorFile = {
  about:
    'Test vectors of the bcast wire; how to use them is said in the appendix of PROTOCOL.md. All bytes are hexadecimal.',
  handshakes,
  mustFail: handshakes.filter(({ suite }) => suite === 1 || suite === 4).flatMap(makeFaults),
};
writeFileSync(VECTOR_FILE, `${JSON.stringify(file, null, 2)}\n`);

function secretsOf(suite: number): Secrets {
  const secret = (name: string): string => toHex(native.sha256(utf8(`bcast test vector, suite ${suite}, ${name}`)));
  const party = (role: string) => ({
    signingSeed: secret(`${role} signing seed`),
    staticSecret: secret(`${role} static secret`),
    ephemeralSecret: secret(`${role} ephemeral secret`),
  });
  const kem = suiteOf(suite)?.isPostQuantum ? kemOf(secret('d') + secret('z'), secret('m')) : null;
  return { suite, initiator: party('initiator'), responder: party('responder'), kem };
}

function kemOf(initiatorSeed: string, responderRandomness: string): KemVector {
  const { publicKey } = ml_kem768.keygen(hex(initiatorSeed));
  const { cipherText, sharedSecret } = ml_kem768.encapsulate(publicKey, hex(responderRandomness));
  return {
    initiatorSeed,
    responderRandomness,
    encapsulationKey: toHex(publicKey),
    ciphertext: toHex(cipherText),
    sharedSecret: toHex(sharedSecret),
  };
}
