import { describe, expect, test } from 'vitest';
import { addressKey, inviteUrl, parseServerUrl } from '../../lib/client/address.ts';
import type { BcastError } from '../../lib/errors.ts';
import { requireRoomName } from '../../lib/protocol/names.ts';

const FP = 'SHA256:+/A1+/A1+/A1+/A1+/A1+/A1+/A1+/A1+/A1+/A1+/A';

test.each([
  ['bcast://chat.example', { host: 'chat.example', port: 9000 }],
  ['bcast://chat.example:7', { host: 'chat.example', port: 7 }],
  ['bcast://alice@chat.example:7/dev', { host: 'chat.example', port: 7, user: 'alice', room: 'dev' }],
  [`bcast://h/dev?fp=${FP}`, { host: 'h', port: 9000, room: 'dev', fingerprint: FP }],
  [`bcast://h?x=1&fp=${encodeURIComponent(FP)}`, { host: 'h', port: 9000, fingerprint: FP }],
  [`bcast://h?fp=${FP}#secret`, { host: 'h', port: 9000, fingerprint: FP }],
  [`bcast://h/dev?fp=${FP}&code=A1B2C`, { host: 'h', port: 9000, room: 'dev', fingerprint: FP, code: 'A1B2C' }],
  ['bcast://h/dev?code=', { host: 'h', port: 9000, room: 'dev' }],
  ['bcast://[::1]:7/', { host: '::1', port: 7 }],
  ['bcast://CHAT.Example', { host: 'chat.example', port: 9000 }],
  ['bcast://zo%C3%AB@h/caf%C3%A9', { host: 'h', port: 9000, user: 'zoë', room: 'café' }],
  ['bcast://zoë@h', { host: 'h', port: 9000, user: 'zoë' }],
  ['localhost', { host: 'localhost', port: 9000 }],
  ['localhost:7', { host: 'localhost', port: 7 }],
  ['127.0.0.1:7/dev', { host: '127.0.0.1', port: 7, room: 'dev' }],
  ['[::1]:7', { host: '::1', port: 7 }],
  [' bcast://h ', { host: 'h', port: 9000 }],
])('reads %s', (text, address) => {
  expect(parseServerUrl(text)).toEqual(address);
});

describe('refuses', () => {
  test.each([
    '',
    'bcast://',
    'bcast:///room',
    'https://h',
    'bcast://h:0',
    'bcast://h:65536',
    'bcast://h:x',
    'bcast://h/%E0%A4%A',
    'bcast://%zz@h',
    'bcast://h?fp=SHA256:short',
    'bcast://h?fp=',
    'bcast://a:b@h',
    'a b',
    '[::1',
  ])('%j', (text) => {
    expect(() => parseServerUrl(text)).toThrow(expect.objectContaining({ code: 'USAGE' }));
  });

  test('names that cannot be', () => {
    expect(() => parseServerUrl('bcast://a!b@h')).toThrow(expect.objectContaining({ code: 'NAME_INVALID' }));
    expect(() => parseServerUrl('bcast://h/a/b')).toThrow(expect.objectContaining({ code: 'ROOM_NAME_INVALID' }));
  });

  test('and repeats no secret', () => {
    const urls = ['bcast://u:hunter2@h', 'bcast://h:0#hunter2', 'https://h#hunter2', 'bcast://h?fp=hunter2'];
    for (const text of [...urls, 'https://h?code=hunter2', 'bcast://h/a/b?code=hunter2', 'bcast://h?code=%zzhunter2']) {
      try {
        parseServerUrl(text);
        expect.unreachable();
      } catch (error) {
        expect((error as BcastError).message).not.toContain('hunter2');
      }
    }
  });
});

test('addresses are listed with a port, IPv6 in brackets', () => {
  expect(addressKey({ host: 'h', port: 1 })).toBe('h:1');
  expect(addressKey({ host: '::1', port: 1 })).toBe('[::1]:1');
});

test.each([
  ['dev', null],
  ['dev', 'A1B2C'],
  ['café', 'A1B2C'],
  ['a.b_c-d', null],
])('an invitation to %s with the code %s leads there', (name, code) => {
  const room = requireRoomName(name);
  for (const host of ['chat.example', '::1']) {
    const address = parseServerUrl(inviteUrl(addressKey({ host, port: 7 }), FP, room, code));
    expect(address).toEqual({ host, port: 7, room, fingerprint: FP, ...(code !== null && { code }) });
  }
});
