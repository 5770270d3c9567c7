import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BcastError } from '../../lib/errors.ts';
import {
  encodeAdmissionRefusal,
  encodePrologue,
  encodeRefusal,
  NOT_BCAST_LINE,
  parseOpening,
  parseRefusal,
} from '../../lib/wire/opening.ts';
import { concat, hex, toHex, utf8 } from './fixtures.ts';

test('the prologue is BCAST, the version and the suite', () => {
  expect(toHex(encodePrologue(4))).toBe('42434153540104');
});

describe('an opening', () => {
  test('is taken apart into version, suite, prologue and message', () => {
    const payload = concat(utf8('BCAST'), hex('0902aabb'));
    expect(parseOpening(payload)).toEqual({
      version: 9,
      suite: 2,
      prologue: concat(utf8('BCAST'), hex('0902')),
      message: hex('aabb'),
    });
  });

  test('is none without the magic, the version and the suite', () => {
    for (const payload of ['', '4243', '4243415354', '424341535401', '4243415355010100', '6263617374010100']) {
      expect(parseOpening(hex(payload))).toBeUndefined();
    }
  });

  test('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.boolean(), (bytes, isMarked) => {
        const payload = isMarked ? concat(utf8('BCAST'), bytes) : bytes;
        expect(parseOpening(payload) === undefined).toBe(!isMarked || bytes.length < 2);
      }),
    );
  });
});

describe('a refusal', () => {
  test('names versions and suites', () => {
    expect(toHex(encodeRefusal('version', [2, 4]))).toBe(`${toHex(utf8('BCAST'))}0001${'0101'}${'020204'}`);
    expect(toHex(encodeRefusal('suite', []))).toBe(`${toHex(utf8('BCAST'))}0002${'0101'}${'00'}`);
  });

  test('is an error that says what the server supports', () => {
    const version = parseRefusal(concat(utf8('BCAST'), hex('0001020203020104')));
    expect(version?.code).toBe('VERSION_UNSUPPORTED');
    expect(version?.message).toBe('The server speaks protocol version 2, 3, this client 1.');
    const suite = parseRefusal(encodeRefusal('suite', [2, 4]));
    expect(suite?.code).toBe('SUITE_UNSUPPORTED');
    expect(suite?.message).toBe('The server accepts the encryption suites 2, 4, no others.');
    expect(parseRefusal(encodeRefusal('suite', []))?.message).toContain('none');
  });

  test('is none when truncated, longer, of another reason or longer than 128 bytes', () => {
    const refusal = encodeRefusal('suite', [1, 2, 3]);
    for (let bytes = 0; bytes < refusal.length; bytes++)
      expect(parseRefusal(refusal.subarray(0, bytes))).toBeUndefined();
    expect(parseRefusal(concat(refusal, hex('00')))).toBeUndefined();
    expect(parseRefusal(concat(utf8('BCAST'), hex('00040101020204')))).toBeUndefined();
    expect(parseRefusal(concat(utf8('BCAST'), hex('01010101020204')))).toBeUndefined();
    expect(parseRefusal(encodeRefusal('suite', [...new Array(118).keys()]))).toBeDefined();
    expect(parseRefusal(encodeRefusal('suite', [...new Array(119).keys()]))).toBeUndefined();
  });

  test('never throws, whatever it is', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (bytes) => {
        expect([BcastError, undefined]).toContain(parseRefusal(concat(utf8('BCAST'), hex('00'), bytes))?.constructor);
      }),
    );
  });
});

describe('an admission refusal', () => {
  test('carries an error number and how long to wait', () => {
    const payload = encodeAdmissionRefusal(new BcastError('TOO_MANY_ATTEMPTS', { retryAfterMs: 15_000 }));
    expect(toHex(payload)).toBe(`${toHex(utf8('BCAST'))}0003${'07d3'}${'00003a98'}`);
    expect(parseRefusal(payload)).toMatchObject({ code: 'TOO_MANY_ATTEMPTS', retryAfterMs: 15_000 });
    expect(parseRefusal(encodeAdmissionRefusal(new BcastError('BANNED')))).toMatchObject({
      code: 'BANNED',
      retryAfterMs: undefined,
    });
  });

  test('is not believed when it says what only an authenticated server may', () => {
    expect(parseRefusal(encodeAdmissionRefusal(new BcastError('SERVER_CHANGED')))).toBeUndefined();
    expect(parseRefusal(encodeAdmissionRefusal(new BcastError('NAME_IN_USE')))).toBeUndefined();
    expect(parseRefusal(concat(utf8('BCAST'), hex('000307d300003a')))).toBeUndefined();
    expect(parseRefusal(concat(utf8('BCAST'), hex('000307d300003a9800')))).toBeUndefined();
  });
});

test('what is said to a stranger is one short plain line', () => {
  expect(Buffer.from(NOT_BCAST_LINE).toString()).toMatch(/^bcast: [ -~]+\r\n$/);
});
