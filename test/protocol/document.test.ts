import { readFileSync } from 'node:fs';
import { decode, encode } from 'cborg';
import { describe, expect, test } from 'vitest';
import { BcastError, ERRORS, errorCodeOf } from '../../lib/errors.ts';
import * as limits from '../../lib/limits.ts';
import { decodeEvent, decodeRequest, encodeEvent, encodeRequest } from '../../lib/protocol/codec.ts';
import { EVENTS, type Event, REQUESTS, type Request } from '../../lib/protocol/messages.ts';
import { codeOf } from '../wire/thrown.ts';
import { renderCddl } from './cddl.ts';

interface Vector<M> {
  readonly message: M;
  readonly cbor: string;
}

interface Fault {
  readonly why: string;
  readonly cbor: string;
  readonly error: number;
}

interface Vectors {
  readonly requests: readonly Vector<Request>[];
  readonly events: readonly Vector<Event>[];
  readonly mustFail: readonly Fault[];
  readonly mustFailEvents: readonly Fault[];
}

const PROTOCOL = readFileSync(new URL('../../docs/PROTOCOL.md', import.meta.url), 'utf8');
const SECTION = PROTOCOL.slice(PROTOCOL.indexOf('\n## 7 Messages'), PROTOCOL.indexOf('\n## Appendix A'));
const vectors = JSON.parse(
  readFileSync(new URL('../../docs/vectors/messages.json', import.meta.url), 'utf8'),
) as Vectors;

describe('docs/PROTOCOL.md', () => {
  test('shows every message as the program encodes it', () => {
    const [, shown] = /```cddl\n([\s\S]*?)\n```/.exec(SECTION) ?? [];
    expect(shown).toBe(renderCddl());
  });

  test.each([...Object.keys(REQUESTS), ...Object.keys(EVENTS)])('says what %s means', (type) => {
    expect(SECTION).toMatch(new RegExp(`^\\| \`${type}\` \\|`, 'm'));
  });

  test('gives the limits as they are', () => {
    const rows = [...SECTION.matchAll(/^\| `(MAX_\w+)` \| ([\d,]+) \|/gm)];
    expect(rows.length).toBeGreaterThan(5);
    const values: ReadonlyMap<string, unknown> = new Map(Object.entries(limits));
    for (const [, name = '', value] of rows) {
      expect(Number(value?.replaceAll(',', '')), name).toBe(values.get(name));
    }
  });

  test('calls errors by numbers they have', () => {
    const named = [...PROTOCOL.matchAll(/`([A-Z_]{4,})` \((\d{4})\)/g)];
    expect(named.length).toBeGreaterThan(10);
    for (const [, code, number] of named) expect(ERRORS[code as keyof typeof ERRORS]?.wire, code).toBe(Number(number));
  });
});

describe('docs/vectors/messages.json', () => {
  test('has every type of message', () => {
    expect(new Set(vectors.requests.map(({ message }) => message.type))).toEqual(new Set(Object.keys(REQUESTS)));
    expect(new Set(vectors.events.map(({ message }) => message.type))).toEqual(new Set(Object.keys(EVENTS)));
  });

  test.each(vectors.requests.map((vector) => [vector.cbor, vector.message] as const))(
    'holds the request %s',
    (cbor, message) => {
      expect(hex(encodeRequest(message).subarray(4))).toBe(cbor);
      expect(decodeRequest(Buffer.from(cbor, 'hex'))).toEqual(message);
      expect(plain(cbor)[0]).toBe(REQUESTS[message.type].tag);
    },
  );

  test.each(vectors.events.map((vector) => [vector.cbor, vector.message] as const))(
    'holds the event %s',
    (cbor, message) => {
      expect(hex(encodeEvent(message).subarray(4))).toBe(cbor);
      expect(decodeEvent(Buffer.from(cbor, 'hex'))).toEqual(message);
      expect(plain(cbor)[0]).toBe(EVENTS[message.type].tag);
    },
  );

  test.each(vectors.mustFail.map((fault) => [fault.why, fault] as const))(
    'refuses, of a client, %s',
    (_why, { cbor, error }) => {
      expect(codeOf(() => decodeRequest(Buffer.from(cbor, 'hex')))).toBe(errorCodeOf(error));
      expect(new BcastError(errorCodeOf(error)).code).not.toBe('INTERNAL');
    },
  );

  test.each(vectors.mustFailEvents.map((fault) => [fault.why, fault] as const))(
    'refuses, of a server, %s',
    (_why, { cbor, error }) => {
      expect(codeOf(() => decodeEvent(Buffer.from(cbor, 'hex')))).toBe(errorCodeOf(error));
    },
  );
});

/** What cborg makes of it; it must also make the same bytes of that. */
function plain(cbor: string): readonly unknown[] {
  const values = decode(Buffer.from(cbor, 'hex'), { strict: true }) as readonly unknown[];
  expect(hex(encode(values))).toBe(cbor);
  return values;
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
