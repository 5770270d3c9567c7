import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Destination, type InputForm, maxPieceBytes, readOutgoing } from '../../../lib/client/pipe/outgoing.ts';
import { requireRoomName, requireUserName } from '../../../lib/protocol/names.ts';

const lobby: Destination = { room: requireRoomName('lobby') };
const encode = (text: string) => new TextEncoder().encode(text);

function read(input: string | Uint8Array | null, form: InputForm = 'lines', keepEmpty = false, maxBodyBytes = 100) {
  const bytes = typeof input === 'string' ? encode(input) : input;
  return readOutgoing({ number: 1, bytes }, { form, destination: lobby, keepEmpty, maxBodyBytes });
}

describe('a line', () => {
  test.each([
    '/quit',
    ':x',
    '{{x}}',
    '/msg bob hi',
    '  spaces  ',
    '\t',
    '$(id)',
    '%s%n',
    '\\n',
    '\u001b[31m',
    'nul\0in it',
    '\ufeffbom',
  ])('is taken verbatim: %j', (line) => {
    expect(read(line)).toEqual({ destination: lobby, body: line, bodyBytes: encode(line).length });
  });

  test('loses the carriage return of a CRLF ending, and only that', () => {
    expect(read('a\r')?.body).toBe('a');
    expect(read('a\r\r')?.body).toBe('a\r');
    expect(read('\ra')?.body).toBe('\ra');
  });

  test('is skipped when it is empty, unless empty ones are kept', () => {
    expect(read('')).toBeNull();
    expect(read('\r')).toBeNull();
    expect(read('', 'lines', true)?.body).toBe('');
    expect(read(' ')?.body).toBe(' ');
  });

  test('that is not UTF-8 is refused', () => {
    for (const bad of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xe2, 0x82]]) {
      expect(() => read(Uint8Array.from([0x61, ...bad]))).toThrow('is not valid UTF-8');
    }
    expect(read('\ufffd')?.body).toBe('\ufffd');
  });

  test('may have exactly the largest body, its ending not counted', () => {
    expect(read(`${'x'.repeat(100)}\r`)?.bodyBytes).toBe(100);
    expect(() => read('x'.repeat(101))).toThrow('is longer than 100 bytes');
    expect(() => read(`${'é'.repeat(50)}x`)).toThrow('is longer than 100 bytes');
    expect(() => read(null)).toThrow('is longer than 100 bytes');
  });

  test('of any text comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (text) => {
        if (text.endsWith('\r')) return;
        expect(read(text, 'lines', false, 1_000)?.body).toBe(text);
      }),
    );
  });
});

describe('all of stdin as one message', () => {
  test('keeps its line endings but the last', () => {
    expect(read('a\nb\n', 'whole')?.body).toBe('a\nb');
    expect(read('a\r\nb\r\n', 'whole')?.body).toBe('a\r\nb');
    expect(read('a\n\n', 'whole')?.body).toBe('a\n');
    expect(read('a\r', 'whole')?.body).toBe('a\r');
    expect(read('\n', 'whole')).toBeNull();
  });
});

describe('a NUL-separated record', () => {
  test('keeps every line ending in it', () => {
    expect(read('a\r\n', 'null')?.body).toBe('a\r\n');
    expect(read('', 'null')).toBeNull();
    expect(read('', 'null', true)?.body).toBe('');
  });
});

describe('a JSON object', () => {
  const json = (value: unknown) => read(JSON.stringify(value), 'ndjson');

  test('names its body, and may name where it goes and its id', () => {
    expect(json({ body: 'hi' })).toEqual({ destination: lobby, body: 'hi', bodyBytes: 2 });
    expect(json({ body: 'hi', room: 'builds' })?.destination).toEqual({ room: requireRoomName('builds') });
    expect(json({ body: 'hi', to: 'bob', room: 'builds' })?.destination).toEqual({ to: requireUserName('bob') });
    expect(json({ body: 'hi', id: '0192F0C1-2345-7abc-8def-0123456789ab' })?.id).toBe(
      '0192f0c123457abc8def0123456789ab',
    );
  });

  test('may be what --json writes', () => {
    const line = {
      v: 1,
      type: 'message',
      id: null,
      seq: 3,
      room: 'builds',
      from: 'al',
      to: null,
      body: 'x',
      kind: 'action',
    };
    expect(json(line)).toEqual({ destination: { room: 'builds' }, body: 'x', bodyBytes: 1, kind: 'action' });
  });

  test('may have an empty body, which is meant', () => {
    expect(json({ body: '' })?.body).toBe('');
  });

  test.each([
    ['{', 'is not JSON'],
    ['3', 'is not a JSON object'],
    ['[]', 'is not a JSON object'],
    ['null', 'is not a JSON object'],
    ['{"text":"x"}', 'has no "body"'],
    ['{"body":3}', 'has no "body"'],
    ['{"body":"\\ud800"}', 'half a surrogate pair'],
    ['{"body":"x","room":"a b"}', 'names nobody and no room'],
    ['{"body":"x","room":7}', 'not a text'],
    ['{"body":"x","to":["bob"]}', 'not a text'],
    ['{"body":"x","id":"1"}', 'not a UUID'],
    ['{"body":"x","id":1}', 'not a UUID'],
    ['{"body":"x","kind":"shout"}', 'neither "text" nor "action"'],
  ])('%s is refused: it %s', (line, reason) => {
    expect(() => read(line, 'ndjson')).toThrow(reason);
  });

  test('may spell every byte of the largest body as an escape', () => {
    const line = `{"body":"${'\\u0041'.repeat(100)}","room":"${'r'.repeat(50)}"}`;
    expect(encode(line).length).toBeLessThan(maxPieceBytes('ndjson', 100));
    expect(read(line, 'ndjson')?.body).toBe('A'.repeat(100));
  });
});
