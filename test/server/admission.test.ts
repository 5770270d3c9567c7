import { describe, expect, test } from 'vitest';
import { BcastError } from '../../lib/errors.ts';
import { Admission, type AdmissionLimits } from '../../lib/server/admission.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { codeOf } from '../wire/thrown.ts';

const ROOMY: AdmissionLimits = {
  maxConnections: 1_000,
  maxConnectionsPerAddress: 1_000,
  connectAttempts: 1_000,
  connectWindow: 15_000,
};

function makeAdmission(
  limits: Partial<AdmissionLimits> = {},
  refusalOf: (address: string) => BcastError | undefined = () => undefined,
) {
  const clock = new ManualClock();
  return { clock, admission: new Admission({ ...ROOMY, ...limits }, clock, refusalOf) };
}

describe('admission', () => {
  test('counts connections in all and for each address, and takes them back', () => {
    const { admission } = makeAdmission({ maxConnections: 3, maxConnectionsPerAddress: 2 });
    admission.admit('a');
    admission.admit('a');
    expect(codeOf(() => admission.admit('a'))).toBe('ADDRESS_FULL');
    admission.admit('b');
    expect(codeOf(() => admission.admit('b'))).toBe('SERVER_FULL');
    admission.release('a');
    admission.admit('b');
    expect(codeOf(() => admission.admit('c'))).toBe('SERVER_FULL');
    for (const address of ['a', 'b', 'b']) admission.release(address);
    for (const address of ['c', 'd', 'e']) admission.admit(address);
  });

  test('counts a network of IPv6 as one address, and IPv4 as itself however it is written', () => {
    const { admission } = makeAdmission({ maxConnectionsPerAddress: 2, connectAttempts: 4 });
    admission.admit('2001:db8::1');
    admission.admit('2001:db8::ffff:2');
    expect(codeOf(() => admission.admit('2001:db8:0:0:3::'))).toBe('ADDRESS_FULL');
    admission.admit('2001:db8:0:1::1');
    admission.release('2001:db8::1');
    admission.admit('2001:db8::4%eth0');
    expect(codeOf(() => admission.admit('2001:db8::5'))).toBe('TOO_MANY_ATTEMPTS');
    admission.admit('192.0.2.1');
    admission.admit('::ffff:192.0.2.1');
    expect(codeOf(() => admission.admit('192.0.2.1'))).toBe('ADDRESS_FULL');
    admission.admit('192.0.2.2');
  });

  test('counts attempts within a window, the refused ones too, and says when it ends', () => {
    const { admission, clock } = makeAdmission({ connectAttempts: 3, maxConnectionsPerAddress: 1 });
    admission.admit('a');
    expect(codeOf(() => admission.admit('a'))).toBe('ADDRESS_FULL');
    expect(codeOf(() => admission.admit('a'))).toBe('ADDRESS_FULL');
    clock.advance(5_000);
    expect(() => admission.admit('a')).toThrow(
      expect.objectContaining({ code: 'TOO_MANY_ATTEMPTS', retryAfterMs: 10_000 }),
    );
    admission.admit('b');
    admission.release('a');
    clock.advance(10_000);
    admission.admit('a');
  });

  test('heeds no wall clock', () => {
    const { admission, clock } = makeAdmission({ connectAttempts: 1 });
    admission.admit('a');
    clock.jump(1e10);
    expect(codeOf(() => admission.admit('a'))).toBe('TOO_MANY_ATTEMPTS');
    clock.jump(-2e10);
    clock.advance(15_000);
    admission.admit('a');
  });

  test('asks first whether the address is wanted, and counts nothing then', () => {
    const banned = new BcastError('BANNED', { retryAfterMs: 7 });
    const { admission } = makeAdmission({ connectAttempts: 2 }, (address) => (address === 'bad' ? banned : undefined));
    for (let i = 0; i < 10; i += 1) expect(() => admission.admit('bad')).toThrow(banned);
    admission.admit('good');
  });

  test('is not filled by addresses without end, and keeps counting the newest', () => {
    const { admission } = makeAdmission({ connectAttempts: 1, maxConnections: 1e9 });
    for (let i = 0; i < 250_000; i += 1) {
      admission.admit(`address ${i}`);
      admission.release(`address ${i}`);
    }
    expect(admission.trackedAddresses).toBeLessThanOrEqual(100_001);
    expect(codeOf(() => admission.admit('address 249999'))).toBe('TOO_MANY_ATTEMPTS');
  });

  test('forgets the addresses whose windows have ended', () => {
    const { admission, clock } = makeAdmission();
    for (let i = 0; i < 1_000; i += 1) {
      admission.admit(`address ${i}`);
      admission.release(`address ${i}`);
    }
    clock.advance(15_000);
    admission.admit('another');
    expect(admission.trackedAddresses).toBe(1);
    admission.release('another');
    expect(admission.openConnections).toBe(0);
  });
});
