import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_PROXY_HEADER_BYTES, type ProxyHeader, ProxyHeaderDecoder } from '../../lib/wire/proxy-header.ts';
import { proxyHeader, proxyHeaderFrom } from '../helpers/proxy-header.ts';
import { codeOf } from './thrown.ts';

const IPV4 = Uint8Array.of(192, 0, 2, 7);
const IPV6 = Buffer.from('20010db8000000000000000000000007', 'hex');

/** Feeds the chunks until the header is there; what is behind it in later chunks follows it. */
function decode(chunks: readonly Uint8Array[]): ProxyHeader | undefined {
  const decoder = new ProxyHeaderDecoder();
  for (const [i, chunk] of chunks.entries()) {
    const header = decoder.push(chunk);
    if (header !== undefined) {
      return { ...header, rest: Uint8Array.from([header.rest, ...chunks.slice(i + 1)].flatMap((part) => [...part])) };
    }
  }
  return undefined;
}

function bytewise(bytes: Uint8Array): Uint8Array[] {
  return [...bytes].map((byte) => Uint8Array.of(byte));
}

describe('a PROXY header', () => {
  test.each([
    ['of IPv4', proxyHeaderFrom(IPV4), IPV4],
    ['of IPv6', proxyHeaderFrom(IPV6), IPV6],
    ['with more behind the addresses', proxyHeaderFrom(IPV4, Buffer.from('0300041234abcd', 'hex')), IPV4],
    ['as long as may be', proxyHeaderFrom(IPV4, new Uint8Array(MAX_PROXY_HEADER_BYTES - 28)), IPV4],
    ['of a UNIX socket', proxyHeader({ family: 0x31, addresses: new Uint8Array(216) }), null],
    ['of nobody in particular', proxyHeader({ family: 0, addresses: new Uint8Array(0) }), null],
    ['of nobody, with something behind', proxyHeader({ family: 0, addresses: new Uint8Array(9) }), null],
    ['of the proxy itself', proxyHeader({ command: 0x20, family: 0, addresses: new Uint8Array(0) }), null],
    ['of the proxy itself, with addresses', proxyHeader({ command: 0x20, family: 0x11 }), null],
    ['of the proxy itself, with any family', proxyHeader({ command: 0x20, family: 0x99 }), null],
  ])('%s is read, whole and byte by byte', (_what, bytes, source) => {
    const rest = Buffer.from('after');
    for (const chunks of [[Buffer.concat([bytes, rest])], bytewise(Buffer.concat([bytes, rest]))]) {
      const header = decode(chunks);
      expect(header?.source === null ? null : Buffer.from(header?.source ?? [])).toEqual(source && Buffer.from(source));
      expect(Buffer.from(header?.rest ?? [])).toEqual(rest);
    }
  });

  test.each([
    ['that is none', Buffer.from('BCAST')],
    ['of version 1', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.1 1 2\r\n')],
    ['of another version', proxyHeader({ command: 0x11 })],
    ['with an unknown command', proxyHeader({ command: 0x22 })],
    ['of datagrams', proxyHeader({ family: 0x12 })],
    ['of an unknown family', proxyHeader({ family: 0x41 })],
    ['too short for IPv4', proxyHeader({ addresses: new Uint8Array(11) })],
    ['too short for IPv6', proxyHeader({ family: 0x21, addresses: new Uint8Array(35) })],
    ['too short for UNIX', proxyHeader({ family: 0x31, addresses: new Uint8Array(215) })],
    ['longer than may be', proxyHeaderFrom(IPV4, new Uint8Array(MAX_PROXY_HEADER_BYTES - 27))],
    ['as long as can be', proxyHeader({ command: 0x20, addresses: new Uint8Array(65_535) })],
  ])('%s is refused, whole and byte by byte', (_what, bytes) => {
    expect(codeOf(() => decode([bytes]))).toBe('BAD_FRAME');
    expect(codeOf(() => decode(bytewise(bytes)))).toBe('BAD_FRAME');
  });

  const source = fc.oneof(
    fc.uint8Array({ minLength: 4, maxLength: 4 }),
    fc.uint8Array({ minLength: 16, maxLength: 16 }),
  );
  const headers = fc.record({
    source,
    tlvs: fc.uint8Array({ maxLength: 300 }),
    rest: fc.uint8Array({ maxLength: 900 }),
  });

  test('is the same however it is cut', () => {
    fc.assert(
      fc.property(headers, fc.array(fc.nat(1_000), { maxLength: 8 }), ({ source, tlvs, rest }, places) => {
        const stream = Buffer.concat([proxyHeaderFrom(source, tlvs), rest]);
        const cuts = [...new Set([0, ...places.filter((place) => place < stream.length), stream.length])].sort(
          (a, b) => a - b,
        );
        const chunks = cuts.slice(1).map((end, i) => stream.subarray(cuts[i], end));
        const header = decode(chunks);
        expect(Buffer.from(header?.source ?? [])).toEqual(Buffer.from(source));
        expect(Buffer.from(header?.rest ?? [])).toEqual(Buffer.from(rest));
      }),
    );
  });

  test('that is truncated is waited for', () => {
    fc.assert(
      fc.property(headers, fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), ({ source, tlvs }, part) => {
        const bytes = proxyHeaderFrom(source, tlvs);
        expect(decode([bytes.subarray(0, Math.floor(bytes.length * part))])).toBe(undefined);
      }),
    );
  });

  test('of anything at all is read, waited for or refused, and never more is held than fits', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 1_000 }),
      fc
        .tuple(fc.nat(1), fc.nat(255), fc.uint8Array({ maxLength: 700 }))
        .map(([command, family, addresses]) =>
          Uint8Array.from(proxyHeader({ command: 0x20 + command, family, addresses })),
        ),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        try {
          const header = decode([bytes]);
          if (header === undefined) expect(bytes.length).toBeLessThan(MAX_PROXY_HEADER_BYTES);
          else expect([4, 16, undefined]).toContain(header.source?.length);
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_FRAME' });
        }
      }),
    );
  });
});
