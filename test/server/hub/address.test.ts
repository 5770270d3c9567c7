import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatAddress,
  formatNetwork,
  isWithin,
  type Network,
  parseAddress,
  parseNetwork,
} from '../../../lib/server/hub/address.ts';

/** Addresses of which many lie close together, so that prefixes of every length divide them. */
const nearIpv4 = fc
  .tuple(fc.constantFrom(10, 127, 192), fc.constantFrom(0, 1, 255), fc.nat(255), fc.nat(255))
  .map((octets) => octets.join('.'));
const nearIpv6 = fc
  .tuple(fc.constantFrom('2001:db8', 'fe80:0', '0:0'), fc.constantFrom('0:0', '1:ffff'), fc.ipV6())
  .map(([front, middle, tail]) => `${front}:${middle}:${hexGroups(tail).slice(4).join(':')}`);
const anyAddress = fc.oneof(fc.ipV4(), fc.ipV6(), nearIpv4, nearIpv6);
const anyPrefix = (address: string) => fc.nat(isIP(address) === 4 ? 32 : 128);

function network(text: string): Network {
  const parsed = parseNetwork(text);
  if (parsed === null) throw new Error(`${text} is no network`);
  return parsed;
}

function within(net: string, text: string): boolean {
  const address = parseAddress(text);
  if (address === null) throw new Error(`${text} is no address`);
  return isWithin(network(net), address);
}

function hexGroups(text: string): string[] {
  const bytes = parseAddress(text) ?? new Uint8Array(16);
  return Array.from({ length: 8 }, (_, i) => Buffer.from(bytes.subarray(2 * i, 2 * i + 2)).toString('hex'));
}

function family(text: string): 'ipv4' | 'ipv6' {
  return isIP(text) === 4 ? 'ipv4' : 'ipv6';
}

describe('an address', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['0:0:1::', '0:0:1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('%s is written %s', (text, written) => {
    expect(formatAddress(parseAddress(text) as Uint8Array)).toBe(written);
  });

  test.each([
    '',
    'localhost',
    '1.2.3',
    '1.2.3.4.5',
    '01.2.3.4',
    '1.2.3.256',
    '0x7f.0.0.1',
    ' 1.2.3.4',
    '1.2.3.4\n',
    '127.0.0.1:9000',
    '127.0.0.1%lo',
    '[::1]',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7:8::',
    '::1:2:3:4:5:6:7:8',
    '12345::',
    '::1.2.3.4:5',
    '1.2.3.4::',
    ':1:2:3:4:5:6:7',
    'fe80::1%',
    'fe80::1%a%b',
  ])('is not %j', (text) => {
    expect(isIP(text)).toBe(0);
    expect(parseAddress(text)).toBe(null);
  });

  test('is what the system takes for one', () => {
    const texts = fc.oneof(
      anyAddress,
      fc.string({ unit: fc.constantFrom('0', '1', '9', 'a', 'F', ':', ':', '.'), maxLength: 20 }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseAddress(text) !== null).toBe(isIP(text) !== 0);
      }),
      { numRuns: 2_000 },
    );
  });

  test('has one text, as URLs have it', () => {
    fc.assert(
      fc.property(anyAddress, (text) => {
        const address = parseAddress(text) as Uint8Array;
        const written = formatAddress(address);
        expect(parseAddress(written)).toEqual(address);
        if (isIP(written) === 6) expect(written).toBe(new URL(`http://[${text}]`).hostname.slice(1, -1));
        else if (isIP(text) === 4) expect(written).toBe(text);
      }),
    );
  });
});

describe('a network', () => {
  test.each([
    ['10.1.2.3/8', '10.0.0.0/8'],
    ['10.1.2.3', '10.1.2.3'],
    ['10.1.2.3/32', '10.1.2.3'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['2001:db8:ffff::/33', '2001:db8:8000::/33'],
    ['::1/128', '::1'],
    ['::/0', '::/0'],
    ['::ffff:10.0.0.0/104', '10.0.0.0/8'],
    ['::ffff:10.0.0.0/80', '::/80'],
  ])('%s is written %s', (text, written) => {
    expect(formatNetwork(network(text))).toBe(written);
  });

  test.each([
    '',
    '/',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '10.0.0.0/08',
    '10.0.0.0/+8',
    '10.0.0.0/8/8',
    '10.0.0.0/ 8',
    '10/8',
    '::/129',
    '::/-1',
    'example.org/8',
  ])('is not %j', (text) => {
    expect(parseNetwork(text)).toBe(null);
  });

  test.each([
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.0/8', '::ffff:10.9.9.9', true],
    ['192.168.1.128/25', '192.168.1.127', false],
    ['192.168.1.128/25', '192.168.1.128', true],
    ['0.0.0.0/0', '::1', false],
    ['::/0', '1.2.3.4', true],
    ['fe80::/10', 'febf::1%eth0', true],
    ['fe80::/10', 'fec0::', false],
  ])('%s has %s: %s', (net, address, expected) => {
    expect(within(net, address)).toBe(expected);
  });

  test('has the addresses that node:net says it has', () => {
    const cases = fc
      .tuple(anyAddress, anyAddress)
      .chain(([net, address]) =>
        fc.record({ net: fc.constant(net), prefix: anyPrefix(net), address: fc.constantFrom(net, address) }),
      );
    fc.assert(
      fc.property(cases, ({ net, prefix, address }) => {
        const list = new BlockList();
        list.addSubnet(net, prefix, family(net));
        expect(within(`${net}/${prefix}`, address)).toBe(list.check(address, family(address)));
      }),
      { numRuns: 2_000 },
    );
  });

  test('has one text', () => {
    fc.assert(
      fc.property(
        anyAddress.chain((address) => anyPrefix(address).map((prefix) => `${address}/${prefix}`)),
        (text) => {
          expect(network(formatNetwork(network(text)))).toEqual(network(text));
        },
      ),
    );
  });
});
