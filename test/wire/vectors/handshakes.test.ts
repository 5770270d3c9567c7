import { describe, expect, test } from 'vitest';
import { createNativeCrypto } from '../../../lib/wire/crypto/native.ts';
import type { CryptoProvider } from '../../../lib/wire/crypto/port.ts';
import { createPortableCrypto } from '../../../lib/wire/crypto/portable.ts';
import { ALL_SUITES } from '../../../lib/wire/suites.ts';
import { concat, hex, toHex } from '../fixtures.ts';
import { makeFaults, outcomeOf } from './faults.ts';
import { fixedParty, openAll, replay } from './replay.ts';
import { readVectors } from './vectors.ts';

const { handshakes, mustFail } = readVectors();

const native = createNativeCrypto();
const portable = createPortableCrypto();

const combinations: readonly (readonly [string, CryptoProvider, CryptoProvider])[] = [
  ['native initiates, portable responds', native, portable],
  ['portable initiates, native responds', portable, native],
  ['without sodium', createNativeCrypto({ sodium: 'off' }), createNativeCrypto({ sodium: 'off', keys: 'der' })],
];

test('every suite has its vector', () => {
  expect(handshakes.map(({ suite }) => suite)).toEqual(ALL_SUITES);
});

describe.each(handshakes.map((vector) => [vector.suite, vector] as const))(
  'the vector of suite %i',
  (_suite, vector) => {
    test.each(combinations)('is what the code does: %s', (_name, atInitiator, atResponder) => {
      expect(replay(vector, atInitiator, atResponder)).toEqual(vector);
    });

    test.each([
      ['native', native],
      ['portable', portable],
    ] as const)('is opened by %s', (_name, provider) => {
      expect(openAll(vector, provider)).toEqual(vector.records.map(({ plaintext }) => plaintext));
    });

    test('crosses a rekey at the record that it says, counted by sealing every record before', () => {
      const client = fixedParty('initiator', vector, native);
      const server = fixedParty('responder', vector, native);
      client.channel.start();
      server.channel.receive(hex(vector.openingFrame));
      client.channel.receive(hex(vector.replyFrame));
      server.channel.receive(hex(vector.finishFrame));
      const wanted = vector.records.find(({ counter }) => counter === 65_536);
      for (let counter = 0; counter < 65_536; counter++) {
        client.channel.sealMessages(counter === 65_535 || counter % 1_000 === 0 ? [hex('0000000100')] : []);
        server.channel.receive(client.sent.pop() ?? hex(''));
      }
      client.channel.sealMessages([hex(wanted?.plaintext ?? '')]);
      const frame = concat(...client.sent.slice(-1));
      expect(toHex(frame)).toBe(wanted?.frame);
      server.channel.receive(frame);
      expect(toHex(server.messages.at(-1) ?? hex(''))).toBe(wanted?.plaintext.slice(8));
    });
  },
);

describe('what must fail', () => {
  test.each(mustFail.map((vector) => [`suite ${vector.suite}, ${vector.role}: ${vector.name}`, vector] as const))(
    '%s',
    (_name, vector) => {
      const good = handshakes.find(({ suite }) => suite === vector.suite);
      if (good === undefined) throw new Error('a must-fail vector belongs to a handshake');
      expect(outcomeOf(good, vector.name, vector.role, vector.receives.map(hex))).toEqual(vector);
    },
  );

  test('is all that is thought of', () => {
    const made = handshakes.filter(({ suite }) => suite === 1 || suite === 4).flatMap(makeFaults);
    expect(made.map(({ name }) => name)).toEqual(mustFail.map(({ name }) => name));
  });

  test('would be noticed if it did not', () => {
    const [good] = handshakes;
    if (good === undefined) throw new Error('there is a first vector');
    expect(() => outcomeOf(good, 'nothing wrong', 'responder', [hex(good.openingFrame)])).toThrow('was accepted');
  });
});
