import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CborWriter } from '../../lib/protocol/cbor.ts';
import { appendEvent } from '../../lib/protocol/codec.ts';
import { appendMessage, appendStored, messagePrefix } from '../../lib/protocol/envelope.ts';
import type { Events } from '../../lib/protocol/messages.ts';
import { eventSamples } from './samples.ts';

test('an envelope is the very bytes of its message', () => {
  const messages = fc.array(eventSamples('message'), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(messages, fc.integer({ min: 1, max: 64 }), (samples, initialBytes) => {
      const [plain, enveloped] = [new CborWriter(initialBytes), new CborWriter(initialBytes)];
      for (const { value } of samples) {
        const message = value as Events['message'];
        appendEvent(plain, message);
        appendMessage(enveloped, messagePrefix(message), message, message.seq, message.ts);
      }
      expect(enveloped.take()).toEqual(plain.take());
    }),
  );
});

test('a prefix serves many messages', () => {
  fc.assert(
    fc.property(eventSamples('message'), fc.array(fc.string()), ({ value }, bodies) => {
      const message = value as Events['message'];
      const prefix = messagePrefix(message);
      const writer = new CborWriter();
      bodies.forEach((body, i) => {
        appendMessage(writer, prefix, { ...message, body }, i, message.ts);
        const enveloped = writer.take();
        appendEvent(writer, { ...message, body, seq: i });
        expect(enveloped).toEqual(writer.take());
      });
    }),
  );
});

test('the ok of a stored message is the very bytes of its event', () => {
  fc.assert(
    fc.property(fc.nat(0xffff_ffff), fc.maxSafeNat(), fc.maxSafeNat(), (req, seq, ts) => {
      const [plain, stored] = [new CborWriter(), new CborWriter()];
      appendEvent(plain, { type: 'ok', req, seq, ts });
      appendStored(stored, req, seq, ts);
      expect(stored.take()).toEqual(plain.take());
    }),
  );
});

test('the answer to a stored message is the very bytes of its ok', () => {
  fc.assert(
    fc.property(eventSamples('ok'), ({ value }) => {
      const { req, seq, ts } = value as Events['ok'];
      fc.pre(seq !== null && ts !== null);
      const writer = new CborWriter(8);
      appendStored(writer, req, seq, ts);
      const written = writer.take();
      appendEvent(writer, { type: 'ok', req, seq, ts });
      expect(written).toEqual(writer.take());
    }),
  );
});
