import { expect, test } from 'vitest';
import { TrustedProxies } from '../../../lib/server/proxy/trusted-proxies.ts';

test('nobody is trusted unless named', () => {
  expect(new TrustedProxies({ trustedProxies: [] }).includes('127.0.0.1')).toBe(false);
});

test('proxies are trusted by address and by network, however the address is written', () => {
  const proxies = new TrustedProxies({ trustedProxies: ['10.0.0.0/8', '2001:db8::1'] });
  expect(['10.255.0.1', '::ffff:10.0.0.1', '2001:DB8:0::1'].map((address) => proxies.includes(address))).toEqual([
    true,
    true,
    true,
  ]);
  expect(['11.0.0.1', '2001:db8::2', 'unknown', 'memory'].some((address) => proxies.includes(address))).toBe(false);
});

test('a reload is seen', () => {
  const settings = { trustedProxies: ['10.0.0.1'] };
  const proxies = new TrustedProxies(settings);
  expect(proxies.includes('10.0.0.1')).toBe(true);
  settings.trustedProxies = ['10.0.0.2'];
  expect(proxies.includes('10.0.0.1')).toBe(false);
  expect(proxies.includes('10.0.0.2')).toBe(true);
});
