import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { createNativeCrypto } from '../../../lib/wire/crypto/native.ts';
import type { CryptoProvider } from '../../../lib/wire/crypto/port.ts';
import { createPortableCrypto } from '../../../lib/wire/crypto/portable.ts';
import { HandshakeState } from '../../../lib/wire/noise/handshake-state.ts';
import { XX } from '../../../lib/wire/noise/patterns.ts';
import { fixedCrypto, hex, toHex } from '../fixtures.ts';

interface Vector {
  readonly origin: string;
  readonly protocolName: string;
  readonly prologue: string;
  readonly initiatorStatic: string;
  readonly initiatorEphemeral: string;
  readonly responderStatic: string;
  readonly responderEphemeral: string;
  readonly messages: readonly { readonly from: 'initiator' | 'responder'; payload: string; ciphertext: string }[];
}

const { vectors } = JSON.parse(
  readFileSync(new URL('../../../docs/vectors/noise-xx.json', import.meta.url), 'utf8'),
) as {
  readonly vectors: readonly Vector[];
};

const providers: readonly (readonly [string, CryptoProvider])[] = [
  ['native', createNativeCrypto()],
  ['native without sodium', createNativeCrypto({ sodium: 'off' })],
  ['portable', createPortableCrypto()],
];

function stateOf(provider: CryptoProvider, vector: Vector, role: 'initiator' | 'responder'): HandshakeState {
  const ephemeral = role === 'initiator' ? vector.initiatorEphemeral : vector.responderEphemeral;
  const crypto = fixedCrypto(provider, { ephemeralSecret: hex(ephemeral) });
  const secret = role === 'initiator' ? vector.initiatorStatic : vector.responderStatic;
  return new HandshakeState({
    crypto,
    protocolName: vector.protocolName,
    pattern: XX,
    role,
    prologue: hex(vector.prologue),
    s: crypto.importDh(hex(secret)),
  });
}

describe.each(providers)('%s reproduces the public vector', (_name, provider) => {
  test.each(vectors.map((vector) => [vector.origin, vector] as const))('%s', (_origin, vector) => {
    const states = {
      initiator: stateOf(provider, vector, 'initiator'),
      responder: stateOf(provider, vector, 'responder'),
    };
    for (const { from, payload, ciphertext } of vector.messages.slice(0, 3)) {
      const to = from === 'initiator' ? 'responder' : 'initiator';
      const message = states[from].writeMessage(hex(payload));
      expect(toHex(message)).toBe(ciphertext);
      expect(toHex(states[to].readMessage(new Uint8Array(message)))).toBe(payload);
    }
    expect(states.initiator.getHandshakeHash()).toEqual(states.responder.getHandshakeHash());
    const ciphers = {
      initiator: states.initiator.split(provider.aesGcm),
      responder: states.responder.split(provider.aesGcm),
    };
    for (const { from, payload, ciphertext } of vector.messages.slice(3)) {
      const to = from === 'initiator' ? 'responder' : 'initiator';
      const sealed = new Uint8Array(ciphertext.length / 2);
      ciphers[from].send.sealInto([hex(payload)], sealed, 0);
      expect(toHex(sealed)).toBe(ciphertext);
      expect(toHex(ciphers[to].receive.open(sealed))).toBe(payload);
    }
  });
});
